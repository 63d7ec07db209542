"""Grows a checkpoint of every decoder family by every kind of method, and asks transformers about the results.

    python test/reference/readBack.py [--only family…] [--text folder of a model with text beside it]

Needs torch, transformers and a build (`npm run build`). Each grown checkpoint loads without missing,
unexpected or mismatched keys, and gives the same scores here and there to 1e-4; methods that promise the
function keep it to 1e-5 (relative). With --text: the model's loss on held-out windows, and that of the model
grown from it, to 1e-4.
"""
import argparse, json, logging, os, pathlib, subprocess, sys, tempfile

os.environ['TQDM_DISABLE'] = '1'
import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / 'test/fixtures/hf'
# Layers and width of the grown model; whole groups of heads are appended.
TARGETS = {name: (5, 72) for name in ('llama', 'llama3', 'mistral', 'qwen2', 'qwen3', 'phi3', 'starcoder2', 'gpt_neox')} | {
    'smollm3': (8, 72), 'gpt2': (5, 96), 'bert': (5, 96), 'roberta': (5, 96)}
METHODS = ('lemon', 'net2net', 'stack', 'interpolate', 'bert2bert', 'copy', 'random')
KEEPS = {'lemon'}
failures = []
logging.disable(logging.WARNING)
parser = argparse.ArgumentParser()
parser.add_argument('--only', nargs='*', default=list(TARGETS))
parser.add_argument('--text')
asked = parser.parse_args()


def run(*words):
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f'{" ".join(map(str, words))}\n{done.stderr}{done.stdout}')
    return done.stdout


def ours(*words):
    return json.loads(run('node', '--import', 'tsx', 'test/reference/ours.ts', *map(str, words)))


def ligo(*words):
    return run('node', 'dist/cli.js', *map(str, words))


def check(what, value, most):
    ok = value <= most
    print(f'{"ok  " if ok else "FAIL"} {what}: {value:.2e}')
    if not ok:
        failures.append(what)


def load(folder):
    name = json.loads((pathlib.Path(folder) / 'config.json').read_text())['architectures'][0]
    kind = AutoModelForMaskedLM if name.endswith('ForMaskedLM') else AutoModelForCausalLM
    model, info = kind.from_pretrained(folder, output_loading_info=True, attn_implementation='eager', dtype=torch.float32)
    wrong = {name: sorted(map(str, keys)) for name, keys in info.items() if keys}
    if wrong:
        print(f'FAIL {folder}: {wrong}')
        failures.append(str(folder))
    return model.eval()


def scores(folder):
    """Largest difference of scores between here and there, and the scores there."""
    mine = ours('logits', folder)
    with torch.no_grad():
        theirs = load(folder)(torch.tensor(mine['ids'])).logits.double()
    return (torch.tensor(mine['logits']).double() - theirs.flatten()).abs().max().item(), theirs


def loss(folder, data):
    found = ours('loss', folder, data)
    model, total, count = load(folder), 0.0, 0
    for window in found['windows']:
        ids = torch.tensor(window['ids']).view(-1, found['length'])
        with torch.no_grad():
            logits = model(ids).logits.flatten(0, 1)[window['positions']]
        losses = torch.nn.functional.cross_entropy(logits, torch.tensor(window['targets']), reduction='none')
        weights = torch.tensor(window['weights']) != 0
        total, count = total + losses[weights].double().sum().item(), count + int(weights.sum())
    return found['loss'], total / count


with tempfile.TemporaryDirectory() as temporary:
    for family in asked.only:
        layers, hidden = TARGETS[family]
        source = FIXTURES / family
        difference, before = scores(source)
        check(f'{family}: scores', difference, 1e-4)
        for method in METHODS:
            out = f'{temporary}/{family}-{method}'
            try:
                ligo('grow', source, '--layers', layers, '--hidden', hidden, '--method', method, '--out', out)
            except RuntimeError as error:
                print(f'--   {family}, {method}: {str(error).strip().splitlines()[-2]}')
                continue
            difference, after = scores(out)
            check(f'{family} grown by {method}: scores', difference, 1e-4)
            if method in KEEPS:
                check(f'{family} grown by {method}: function kept (relative)', ((after - before).norm() / before.norm()).item(), 1e-5)
    if asked.text:
        source = pathlib.Path(asked.text).resolve()
        data = next(source.glob('*.txt'))
        mine, theirs = loss(source, data)
        check(f'{source.name}: loss {mine:.5f} here, {theirs:.5f} there', abs(mine - theirs), 1e-4)
        out = f'{temporary}/grown'
        sizes = json.loads((source / 'config.json').read_text())
        ligo('grow', source, '--layers', 2 * sizes['num_hidden_layers'], '--hidden', sizes['hidden_size'] * 3 // 2, '--data', data, '--steps', 20, '--out', out)
        receipt = json.loads(pathlib.Path(f'{out}/growth.json').read_text())
        mine, theirs = loss(out, data)
        check(f'{source.name} grown by ligo: loss {mine:.5f} here, {theirs:.5f} there', abs(mine - theirs), 1e-4)
        check(f'its receipt says {receipt["losses"]["after"]["loss"]:.5f}', abs(receipt['losses']['after']['loss'] - theirs), 1e-4)

print(f'{len(failures)} failures' if failures else 'all as transformers has it')
sys.exit(bool(failures))
