"""Grows examples, hands them over to PyTorch, and runs what was written as it stands.

    python test/reference/handoff.py [--only gpt2 bert vit] [--model FOLDER --text FILE] [--steps 200] [--trainjob CRD.yaml]

Needs the packages that requirements.txt of a project names, PyYAML, bash and a build (`npm run build`); no GPU: two
processes compute on the CPU. The first held-out loss is the receipt's to 1e-3, with torchrun, with accelerate and after
a stop by a signal; AdamW goes on with the moments that training has kept; every project compiles, its scripts and YAML parse. With --model and --text: also a model of text from
anywhere. With --steps: so many further steps, beside random weights. With --trainjob: trainjob.yaml has no field that the
CustomResourceDefinition of Kubeflow Trainer (manifests/base/crds/trainer.kubeflow.org_trainjobs.yaml) does not have.
"""
import argparse, json, os, pathlib, py_compile, re, signal, subprocess, sys, tempfile

import safetensors.torch
import torch
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = {
    'gpt2': ('examples/gpt2-kjv', 'examples/kjv.txt', ['--layers', 4, '--hidden', 96, '--sequence-length', 64]),
    'bert': ('examples/bert-kjv', 'examples/kjv.txt', ['--layers', 4, '--hidden', 96, '--sequence-length', 64]),
    'vit': ('examples/vit-fmnist', 'examples/fashion-mnist', ['--layers', 4, '--hidden', 64, '--heads', 4]),
}
SCRIPTS = {'torchrun': 'torchrun.sh', 'slurm': 'train.sbatch'}
DOCUMENTS = {'accelerate': 'accelerate.yaml', 'skypilot': 'skypilot.yaml', 'kubernetes': 'trainjob.yaml'}
# timm, where it is installed without torchvision, keeps accelerate's command line from starting.
ACCELERATE = "import sys; sys.modules['timm'] = None; from accelerate.commands.accelerate_cli import main; main()"
failures = []

parser = argparse.ArgumentParser()
parser.add_argument('--only', nargs='*', default=list(EXAMPLES))
parser.add_argument('--model')
parser.add_argument('--text')
parser.add_argument('--steps', type=int)
parser.add_argument('--trainjob')
asked = parser.parse_args()
environment = {**os.environ, 'PATH': f'{pathlib.Path(sys.executable).parent}:{os.environ["PATH"]}', 'CUDA_VISIBLE_DEVICES': ''}


def run(*words, expect=0):
    done = subprocess.run([str(word) for word in words], cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode != expect:
        raise RuntimeError(f'{" ".join(map(str, words))} ended with {done.returncode}\n{done.stdout}{done.stderr}')
    return done.stdout


def ligo(*words):
    return run('node', 'dist/cli.js', *words)


def losses(output):
    return {int(step): float(loss) for step, loss in re.findall(r'step (\d+): held-out loss ([\d.]+)', output)}


def check(what, ok):
    print(f'{"ok  " if ok else "FAIL"} {what}', flush=True)
    if not ok:
        failures.append(what)


def check_first(what, output, expected):
    first = losses(output).get(0)
    check(f'{what}: first held-out loss {first}, receipt {expected:.4f}', first is not None and abs(first - expected) < 1e-3)


def unknown_fields(value, schema, path=''):
    """Fields that an OpenAPI schema does not have."""
    if schema.get('x-kubernetes-preserve-unknown-fields'):
        return
    if isinstance(value, list):
        for each in value:
            yield from unknown_fields(each, schema.get('items', {}), path)
    elif isinstance(value, dict):
        for name, inner in value.items():
            known = schema.get('properties', {}).get(name, schema.get('additionalProperties'))
            if known is None:
                yield f'{path}.{name}'
            elif isinstance(known, dict):
                yield from unknown_fields(inner, known, f'{path}.{name}')


def check_documents(name, folder, launcher):
    for module in ('train.py', 'data.py'):
        py_compile.compile(folder / module, cfile=folder / 'compiled', doraise=True)
    if launcher in SCRIPTS:
        run('bash', '-n', folder / SCRIPTS[launcher])
    if launcher in DOCUMENTS:
        document = yaml.safe_load((folder / DOCUMENTS[launcher]).read_text())
        if launcher == 'kubernetes' and asked.trainjob:
            versions = yaml.safe_load(pathlib.Path(asked.trainjob).read_text())['spec']['versions']
            schema = next(each for each in versions if document['apiVersion'].endswith(each['name']))['schema']['openAPIV3Schema']
            unknown = list(unknown_fields({'spec': document['spec']}, schema))
            check(f'{name}: trainjob.yaml has only known fields {unknown}', not unknown)


def stopped_and_resumed(project, expected):
    """A signal in the midst: everything is saved, the exit code says so, and the same command goes on."""
    words = [sys.executable, str(project / 'train.py'), '--steps', '60', '--evaluate-every', '20', '--output', str(project / 'stopped')]
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as training:
        seen = ''
        for line in training.stdout:
            seen += line
            if 'step 20: held-out' in line:
                training.send_signal(signal.SIGUSR1)
        code = training.wait()
    kept = [folder.name for folder in (project / 'stopped').glob('checkpoint-*')]
    check(f'stopped by a signal: exit code {code}, kept {sorted(kept)}', code == 75 and 'checkpoint-20' in kept)
    check_first('before the stop', seen, expected)
    scored = losses(run(*words))
    check(f'gone on to the end, from no new beginning: {scored}', 60 in scored and 0 not in scored)


def hand_over(name, model, data, sizes, work):
    grown = work / f'{name}-grown'
    ligo('grow', model, *sizes, '--data', data, '--steps', 10, '--batch', 16, '--out', grown)
    expected = json.loads((grown / 'growth.json').read_text())['losses']['after']['loss']
    for launcher in ('torchrun', 'accelerate', 'slurm', 'skypilot', 'kubernetes'):
        project = work / f"{name} '$(touch x)' {launcher}"
        ligo('handoff', grown, '--to', launcher, '--steps', asked.steps or 4, '--rate', 1e-3, '--gpus', 2, '--out', project)
        check_documents(name, project, launcher)
        options = ['--evaluate-every', 2] if not asked.steps else []
        if launcher == 'torchrun':
            output = run('bash', project / 'torchrun.sh', *options)
            check_first(f'{name}, torchrun, 2 processes', output, expected)
            again = json.loads(ligo('evaluate', project / 'output', '--data', data, '--batch', 16, '--json', *length(sizes)))['loss']
            last = max(losses(output).items())[1]
            check(f'{name}: what was trained opens here and scores {again:.4f}, there {last}', abs(again - last) < 1e-3)
            if asked.steps:
                scratch = run('bash', project / 'torchrun.sh', '--from-scratch', '--output', project / 'scratch')
                print(f'     {name}: grown {losses(output)}\n     {name}: random {losses(scratch)}')
        if launcher == 'accelerate':
            run_with = lambda *words: run(sys.executable, '-c', ACCELERATE, 'launch', '--config_file', project / 'accelerate.yaml', *words, project / 'train.py', *options)
            check_first(f'{name}, accelerate, 2 processes', run_with('--cpu', '--num_processes', 2), expected)
    if name == 'gpt2':
        stopped_and_resumed(work / f"{name} '$(touch x)' torchrun", expected)


def moments_go_on(name, model, data, sizes, work):
    """AdamW begins with the moments of a training here: those of optimizer.safetensors, and one update later others."""
    trained, project = work / f'{name}-kept', work / f'{name}-kept-project'
    ligo('train', model, *length(sizes), '--data', data, '--steps', 6, '--batch', 16, '--keep-optimizer', '--out', trained)
    ligo('handoff', trained, '--steps', 1, '--rate', 1e-3, '--gpus', 2, '--out', project)
    words = ['--evaluate-every', 1, '--output', project / 'output']
    output = run('bash', project / 'torchrun.sh', *words)
    said = re.search(r'after (\d+) updates, for (\d+) of (\d+) tensors', output)
    check(f'{name}: the optimizer goes on: {said and said.group()}', said and said[1] == '6' and int(said[2]) >= int(said[3]) - 3)
    check_first(f'{name}: after a training', output, json.loads((trained / 'training.json').read_text())['after']['loss'])
    state = torch.load(project / 'output' / 'checkpoint-1' / 'optimizer.pt', weights_only=True)
    groups, values = state['param_groups'], state['state']
    kept = safetensors.torch.load_file(trained / 'optimizer.safetensors')
    steps = {float(each['step']) for each in values.values()}
    check(f'{name}: updates after one more: {steps}', steps == {7.0} or (steps == {1.0, 7.0}))
    # exp_avg goes b of the way: what is left of the old one is in all of the new.
    b1 = groups[0]['betas'][0]
    largest = max(values.values(), key=lambda each: each['exp_avg'].numel())['exp_avg'].flatten()
    old = max((tensor for key, tensor in kept.items() if key.startswith('exp_avg.')), key=lambda each: each.numel()).flatten()
    share = float(torch.dot(largest, old) / torch.dot(old, old))
    check(f'{name}: share of the old moment in the new: {share:.2f}, beta {b1}', abs(share - b1) < 0.25)


def length(sizes):
    return sizes[sizes.index('--sequence-length') :][:2] if '--sequence-length' in sizes else []



with tempfile.TemporaryDirectory() as folder:
    work = pathlib.Path(folder)
    for name in asked.only:
        hand_over(name, *EXAMPLES[name], work)
        moments_go_on(name, *EXAMPLES[name], work)
    if asked.model:
        hand_over('yours', asked.model, asked.text, ['--layers', 6, '--sequence-length', 128], work)
print('failed: ' + '; '.join(failures) if failures else 'all as it should be')
sys.exit(1 if failures else 0)
