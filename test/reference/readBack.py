"""Grows a checkpoint of every decoder family by every kind of method, and asks transformers about the results.

    python test/reference/readBack.py [--only family…] [--variants [family…]] [--text folder of a model with text beside it]

Needs torch, transformers, timm (without torchvision) and a build (`npm run build`). Each grown checkpoint loads without missing,
unexpected or mismatched keys, and gives the same scores here and there to 1e-4; methods that promise the
function keep it to 1e-5 (relative). With --text: the model's loss on held-out windows, and that of the model
grown from it, to 1e-4.
"""
import argparse, json, logging, os, pathlib, subprocess, sys, tempfile

os.environ['TQDM_DISABLE'] = '1'
import importlib.abc, importlib.machinery, types


class WithoutTorchvision(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """timm imports torchvision for transforms, of which nothing here needs any."""

    def find_spec(self, name, path, target=None):
        if name.split('.')[0] == 'torchvision':
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__path__ = []
        modes = dict(NEAREST=0, LANCZOS=1, BILINEAR=2, BICUBIC=3, BOX=4, HAMMING=5)

        def attribute(name):
            if name.startswith('__'):
                raise AttributeError(name)
            return type(name, (), modes)
        module.__getattr__ = attribute
        return module

    def exec_module(self, module):
        pass


import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageClassification, AutoModelForMaskedLM

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / 'test/fixtures/hf'
# Layers and width of the grown model; whole groups of heads are appended.
TARGETS = {name: (5, 72) for name in ('llama', 'llama3', 'mistral', 'qwen2', 'qwen3', 'phi3', 'granite', 'starcoder2', 'gpt_neox', 'gemma')} | {
    'smollm3': (8, 72), 'gemma2': (6, 72), 'gemma3': (8, 72), 'olmo2': (5, 96), 'gpt2': (5, 96), 'bert': (5, 96), 'roberta': (5, 96), 'distilbert': (5, 96), 'electra': (5, 96), 'opt': (5, 72), 'vit': (5, 96), 'deit': (5, 96), 'dinov2': (5, 96), 'timm-vit': (5, 72), 'timm-vit-registers': (5, 96), 'timm-cait': (5, 96), 'modernbert': (9, 96)}
METHODS = ('lemon', 'net2net', 'stack', 'interpolate', 'bert2bert', 'copy', 'random')
KEEPS = {'lemon'}
BASE = dict(vocab_size=96, hidden_size=32, intermediate_size=72, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=64, pad_token_id=None, bos_token_id=1, eos_token_id=2)
ENCODER = dict(vocab_size=96, hidden_size=32, intermediate_size=72, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=64, pad_token_id=0)
MASKED = {'bert', 'roberta', 'camembert', 'xlm-roberta', 'distilbert', 'electra', 'modernbert'}
VISION = dict(image_size=16, patch_size=4, num_labels=5)
TIMM = dict(img_size=16, patch_size=4, embed_dim=32, depth=2, num_heads=4)
OPT = dict(ffn_dim=72, word_embed_proj_dim=32, pad_token_id=1)
rope = lambda kind, **fields: dict(rope_parameters=dict(rope_type=kind, rope_theta=10000.0, **fields))
# What fixtures do not have: by name, the config class's model_type and its fields.
VARIANTS = {
    'one key-value head': ('llama', dict(num_key_value_heads=1)),
    'as many key-value heads as heads': ('llama', dict(num_key_value_heads=4)),
    'biases everywhere': ('llama', dict(attention_bias=True, mlp_bias=True)),
    'another activation, tied': ('llama', dict(hidden_act='gelu_pytorch_tanh', tie_word_embeddings=True)),
    'heads larger than their share': ('llama', dict(head_dim=16)),
    # 48 hidden units are no whole number of groups of five heads: config.json names the heads' size then.
    **{f'groups of five heads, as {family}': (family, dict(hidden_size=40, num_attention_heads=10, num_key_value_heads=2)) for family in ('mistral', 'qwen2', 'granite')},
    'linear scaling': ('llama', rope('linear', factor=4.0)),
    'dynamic scaling': ('llama', rope('dynamic', factor=4.0)),
    'llama3 scaling': ('llama', rope('llama3', factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=8)),
    'yarn scaling': ('llama', rope('yarn', factor=4.0, original_max_position_embeddings=16)),
    'yarn scaling, all fields': ('llama', rope('yarn', factor=4.0, original_max_position_embeddings=16, beta_fast=16, beta_slow=2, mscale=0.7, mscale_all_dim=0.9, truncate=False)),
    'a part of each head, which is not read': ('llama', rope('default', partial_rotary_factor=0.5)),
    'factors of words, branches and scores, untied, heads of their own size': ('granite', dict(embedding_multiplier=12.0, attention_multiplier=0.1, residual_multiplier=0.22, logits_scaling=4.0, head_dim=16)),
    'no factor but that of attention, biases, tied': ('granite', dict(attention_bias=True, mlp_bias=True, tie_word_embeddings=True)),
    'a part of each head rotated': ('phi3', rope('default', partial_rotary_factor=0.5)),
    'a window of five tokens': ('mistral', dict(sliding_window=5)),
    'one key-value head, with biases': ('qwen2', dict(num_key_value_heads=1)),
    'biases and normalised heads': ('qwen3', dict(attention_bias=True, head_dim=16)),
    'short factors': ('phi3', dict(original_max_position_embeddings=32, **rope('longrope', short_factor=[1.0, 1.5, 2.0, 3.0], long_factor=[1.0, 2.0, 4.0, 8.0]))),
    'long factors': ('phi3', dict(original_max_position_embeddings=8, **rope('longrope', short_factor=[1.0, 1.5, 2.0, 3.0], long_factor=[1.0, 2.0, 4.0, 8.0]))),
    'without biases, untied': ('starcoder2', dict(use_bias=False, tie_word_embeddings=False, sliding_window=4)),
    'branches in turn': ('gpt_neox', dict(use_parallel_residual=False, **rope('default', partial_rotary_factor=0.25))),
    'without biases of attention': ('gpt_neox', dict(attention_bias=False, **rope('default', partial_rotary_factor=1.0))),
    'no layer rotated': ('smollm3', dict(no_rope_layers=[0, 0])),
    'a window where heads are not rotated': ('smollm3', dict(no_rope_layers=[1, 0], use_sliding_window=True, sliding_window=4)),
    'a window from the second layer on': ('qwen2', dict(use_sliding_window=True, sliding_window=5, max_window_layers=1)),
    'windows by name': ('qwen3', dict(use_sliding_window=True, sliding_window=5, layer_types=['sliding_attention', 'full_attention'], head_dim=16)),
    'as many key-value heads as heads, untied': ('gemma', dict(num_key_value_heads=4, head_dim=8, tie_word_embeddings=False)),
    'its activation as files of old call it': ('gemma', dict(hidden_act='gelu', head_dim=16, num_key_value_heads=1)),
    'without caps': ('gemma2', dict(attn_logit_softcapping=None, final_logit_softcapping=None, head_dim=8, sliding_window=3)),
    'strict caps, all layers alike': ('gemma2', dict(attn_logit_softcapping=2.0, final_logit_softcapping=5.0, head_dim=8, sliding_window=3, layer_types=['full_attention'] * 2)),
    'one key-value head, biases, a scaled base': ('gemma3_text', dict(num_key_value_heads=1, head_dim=16, attention_bias=True, sliding_window=4, layer_types=['sliding_attention', 'full_attention'],
        rope_parameters=dict(full_attention=dict(rope_type='linear', rope_theta=1e6, factor=8.0), sliding_attention=dict(rope_type='default', rope_theta=1e4)))),
    'layers of one kind that its default would not repeat': ('gemma3_text', dict(head_dim=8, sliding_window=4)),
    'norms of sums, short words': ('opt', dict(OPT, do_layer_norm_before=False, word_embed_proj_dim=16)),
    'norms before branches, short words, untied': ('opt', dict(OPT, word_embed_proj_dim=16, tie_word_embeddings=False)),
    'without biases and the last norm': ('opt', dict(OPT, enable_bias=False, _remove_final_layer_norm=True, activation_function='gelu', tie_word_embeddings=False)),
    'gated units, one factor': ('dinov2', dict(VISION, use_swiglu_ffn=True, mlp_ratio=3, layerscale_value=0.5, use_mask_token=False)),
    'without biases of attention': ('dinov2', dict(VISION, qkv_bias=False, mlp_ratio=1)),
    'factors, positions of patches alone': ('timm:deit3_small_patch16_224', TIMM),
    'without biases of attention': ('timm:vit_tiny_patch16_224', dict(TIMM, qkv_bias=False, init_values=0.1)),
    'two registers with positions': ('timm:vit_base_patch14_dinov2', dict(TIMM, reg_tokens=2, mlp_ratio=3)),
    'one layer of the class token, no biases of attention': ('timm:cait_xs24_384', dict(TIMM, depth_token_only=1, qkv_bias=False)),
    'three layers of the class token, narrow': ('timm:cait_m36_384', dict(TIMM, depth_token_only=3, mlp_ratio_token_only=1.5, mlp_ratio=3)),
    'biases everywhere, untied, every other layer sees all': ('modernbert', dict(num_hidden_layers=2, norm_bias=True, attention_bias=True, mlp_bias=True, classifier_bias=True, global_attn_every_n_layers=2, local_attention=6, tie_word_embeddings=False)),
    'RoBERTa by another name': ('camembert', dict(pad_token_id=1)),
    'RoBERTa by a third name, untied': ('xlm-roberta', dict(pad_token_id=1, tie_word_embeddings=False)),
    'sines and cosines, another activation': ('distilbert', dict(dim=32, n_layers=2, n_heads=4, hidden_dim=72, sinusoidal_pos_embds=True, activation='relu')),
    'untied': ('distilbert', dict(dim=32, n_layers=2, n_heads=4, hidden_dim=72, tie_word_embeddings=False)),
    'tables as wide as layers': ('electra', dict(embedding_size=32)),
    'untied, narrow tables': ('electra', dict(embedding_size=16, tie_word_embeddings=False)),
    'as many key-value heads as heads, biases': ('olmo2', dict(num_key_value_heads=4, attention_bias=True)),
}
failures = []
logging.disable(logging.WARNING)
parser = argparse.ArgumentParser()
parser.add_argument('--only', nargs='*', default=list(TARGETS))
parser.add_argument('--variants', nargs='*', help='what no fixture has, of these families (of all where none is named), although families are named')
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


def timm_model(config):
    import timm
    timm.layers.set_fused_attn(False)
    return timm.create_model(config['architecture'], pretrained=False, num_classes=config['num_classes'], **config['model_args'])


def save_timm(folder, architecture, fields):
    from safetensors.torch import save_file
    os.makedirs(folder, exist_ok=True)
    config = dict(architecture=architecture, num_classes=5, model_args=fields)
    model = timm_model(config)
    draw(model)
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, f'{folder}/model.safetensors', metadata={'format': 'pt'})
    pathlib.Path(f'{folder}/config.json').write_text(json.dumps(config))


def save_transformers(folder, model_type, fields):
    masked = model_type in MASKED
    config = AutoConfig.for_model(model_type, **(ENCODER if masked else BASE) | fields)
    kind = AutoModelForMaskedLM if masked else AutoModelForImageClassification if 'image_size' in fields else AutoModelForCausalLM
    model = kind.from_config(config, attn_implementation='eager')
    draw(model)
    model.save_pretrained(folder)


def draw(model):
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, 0.0 if parameter.dim() > 1 else 1.0, 0.3)


def load(folder):
    config = json.loads((pathlib.Path(folder) / 'config.json').read_text())
    if 'architecture' in config:
        from safetensors.torch import load_file
        model = timm_model(config)
        # Strict: a missing, unexpected or mismatched key throws.
        model.load_state_dict(load_file(pathlib.Path(folder) / 'model.safetensors'))
        return model.eval()
    name = json.loads((pathlib.Path(folder) / 'config.json').read_text())['architectures'][0]
    kind = getattr(transformers, name)
    model, info = kind.from_pretrained(folder, output_loading_info=True, attn_implementation='eager', dtype=torch.float32)
    wrong = {name: sorted(map(str, keys)) for name, keys in info.items() if keys}
    if wrong:
        print(f'FAIL {folder}: {wrong}')
        failures.append(str(folder))
    return model.eval()


def scores(folder):
    """Largest difference of scores between here and there, in their deviation where that is above 1; the scores there."""
    mine = ours('logits', folder)
    model = load(folder)
    read = torch.tensor(mine['ids'])
    if mine['pixels']:
        config = json.loads((pathlib.Path(folder) / 'config.json').read_text())
        size = config.get('model_args', {}).get('img_size') or config['image_size']
        channels = config.get('num_channels', 3)
        read = torch.tensor(mine['pixels']).view(2, channels, size, size)
    with torch.no_grad():
        given = model(read)
    theirs = getattr(given, 'logits', given).double()
    difference = (torch.tensor(mine['logits']).double() - theirs.flatten()).abs().max()
    return (difference / theirs.std().clamp(min=1)).item(), theirs


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


sys.meta_path.append(WithoutTorchvision())
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
    for name, (model_type, fields) in VARIANTS.items() if asked.variants is not None or len(asked.only) == len(TARGETS) else ():
        if asked.variants and model_type not in asked.variants:
            continue
        torch.manual_seed(3)
        is_timm = model_type.startswith('timm:')
        source = f'{temporary}/{model_type.replace(":", "-")}'
        if is_timm:
            save_timm(source, model_type.removeprefix('timm:'), fields)
        else:
            save_transformers(source, model_type, fields)
        difference, before = scores(source)
        check(f'{model_type}, {name}: scores', difference, 1e-4)
        for method in ('lemon', 'stack'):
            out = f'{temporary}/variant'
            # Where all heads, or sums, are normalised together, or branches scaled, only whole multiples keep the function.
            whole = is_timm or model_type in MASKED or model_type in ('olmo2', 'dinov2') or fields.get('do_layer_norm_before') is False
            ligo('grow', source, '--layers', 4, '--hidden', 64 if whole else 48, '--method', method, '--out', out, '--overwrite')
            difference, after = scores(out)
            check(f'{model_type}, {name}, grown by {method}: scores', difference, 1e-4)
            if method in KEEPS:
                check(f'{model_type}, {name}, grown by {method}: function kept (relative)', ((after - before).norm() / before.norm()).item(), 1e-5)
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
