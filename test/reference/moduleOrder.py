"""Writes src/architecture/moduleOrder.json: the order of parameters in transformers' classes, as torch numbers an optimizer's.

    python test/reference/moduleOrder.py

By model_type, of all classes together: those of one are some of them, in this order. Names are those that save_pretrained
writes. `*` stands for a layer's number; layers lie together.
"""
import json, pathlib, re, tempfile

import torch
import transformers
from safetensors.torch import load_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / 'test/fixtures/hf'
# What adds parameters that fixtures do not have.
SWITCHES = ('attention_bias', 'mlp_bias', 'qkv_bias', 'use_bias', 'norm_bias', 'decoder_bias', 'classifier_bias')
CLASSES = {
    'bert': ['ForMaskedLM', 'ForPreTraining', 'LMHeadModel', 'Model', 'ForSequenceClassification', 'ForTokenClassification', 'ForQuestionAnswering', 'ForMultipleChoice', 'ForNextSentencePrediction'],
    'roberta': ['ForMaskedLM', 'ForCausalLM', 'Model', 'ForSequenceClassification', 'ForTokenClassification', 'ForQuestionAnswering', 'ForMultipleChoice'],
    'distilbert': ['ForMaskedLM', 'Model', 'ForSequenceClassification', 'ForTokenClassification', 'ForQuestionAnswering', 'ForMultipleChoice'],
    'electra': ['ForMaskedLM', 'ForPreTraining', 'Model', 'ForSequenceClassification', 'ForTokenClassification', 'ForQuestionAnswering', 'ForMultipleChoice'],
    'modernbert': ['ForMaskedLM', 'Model', 'ForSequenceClassification', 'ForTokenClassification'],
    'gpt2': ['LMHeadModel', 'DoubleHeadsModel', 'Model', 'ForSequenceClassification', 'ForTokenClassification', 'ForQuestionAnswering'],
    'vit': ['ForImageClassification', 'Model'],
    'deit': ['ForImageClassification', 'ForImageClassificationWithTeacher', 'Model'],
    'dinov2': ['ForImageClassification', 'Model'],
}
DECODER = ['ForCausalLM', 'Model', 'ForSequenceClassification', 'ForTokenClassification']


def stored_names(model):
    """Names in the file that the model is saved as, in the order of its parameters."""
    for number, (_, parameter) in enumerate(model.named_parameters()):
        parameter.data.fill_(number)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        tensors = load_file(pathlib.Path(folder) / 'model.safetensors')
    found = {}
    for name in sorted(tensors):
        if tensors[name].is_floating_point():
            found.setdefault(int(tensors[name].flatten()[0]), name)
    return [found[number] for number in range(len(list(model.parameters())))]


def template(names):
    """One layer in the place of all; the one with the most parameters speaks for them."""
    layers = {}
    for name in names:
        found = re.match(r'(.*?\.)(\d+)(\..*)$', name)
        if found:
            layers.setdefault(found[1], {}).setdefault(found[2], []).append(name)
    out, seen = [], set()
    for name in names:
        found = re.match(r'(.*?\.)(\d+)(\..*)$', name)
        if not found:
            out.append(name)
        elif found[1] not in seen:
            seen.add(found[1])
            fullest = max(layers[found[1]].values(), key=len)
            out += [re.sub(r'^(.*?\.)\d+(\..*)$', r'\1*\2', each) for each in fullest]
    return out


def order(kind, config, ties):
    if not hasattr(transformers, kind):
        return None
    config = type(config).from_dict(config.to_dict())
    if hasattr(config, 'tie_word_embeddings'):
        config.tie_word_embeddings = ties
    return template(stored_names(getattr(transformers, kind)(config)))


def within(part, whole):
    return [name for name in whole if name in part] == part


def merged(known, found):
    """Both, each in its order: what only one has stands behind what it follows there."""
    out = list(known)
    for before, name in zip([None, *found], found):
        if name not in out:
            out.insert(0 if before is None else out.index(before) + 1, name)
    return out


def main():
    orders = {}
    for folder in sorted(FIXTURES.iterdir()):
        file = folder / 'config.json'
        written = json.loads(file.read_text()) if file.exists() else {}
        [first, *_] = written.get('architectures') or ['']
        if not hasattr(transformers, first):
            continue
        config = transformers.AutoConfig.from_pretrained(folder)
        for switch in SWITCHES:
            if hasattr(config, switch):
                setattr(config, switch, True)
        stem = re.sub(r'(ForMaskedLM|ForPreTraining|LMHeadModel|ForCausalLM|ForImageClassification(WithTeacher)?|Model)$', '', first)
        lists = []
        for end in CLASSES.get(config.model_type, DECODER):
            for ties in (False, True):
                found = end != 'Model' and order(stem + end, config, ties)
                if found:
                    lists.append(found)
        known = orders.get(config.model_type, [])
        for found in lists:
            known = merged(known, found)
        for found in lists:
            if not within(found, known):
                raise SystemExit(f'{config.model_type}: no single order holds for all classes')
        orders[config.model_type] = known
    text = json.dumps(dict(sorted(orders.items())), indent=2)
    (ROOT / 'src/architecture/moduleOrder.json').write_text(text + '\n')
    print({kind: len(names) for kind, names in orders.items()})


main()
