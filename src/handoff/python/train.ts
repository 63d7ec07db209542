/** `train.py`, the same for every kind of model. What differs is in `handoff.json` and `data.py`. */
export const trainPy = String.raw`"""Trains a grown checkpoint on. Which one, on what and how is in handoff.json.

    python train.py [--steps N] [--rate R] [--batch N] [--output FOLDER]
"""
import argparse, json, os, pathlib, shutil, signal, sys

import torch
import transformers
from safetensors.torch import load_file
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from data import open_data

HERE = pathlib.Path(__file__).resolve().parent
HANDOFF = json.loads((HERE / "handoff.json").read_text(encoding="utf-8"))
TRAINING = HANDOFF["training"]
PROCESSES = int(os.environ.get("WORLD_SIZE", 1))
STOPPED = 75  # exit code of a training that was stopped by a signal and can go on

parser = argparse.ArgumentParser(description="Trains a checkpoint on with transformers' Trainer.")
parser.add_argument("--model", default=HANDOFF["model"]["path"], help="folder of the checkpoint")
parser.add_argument("--data", default=HANDOFF["data"]["path"], help="where the training data lies now")
parser.add_argument("--output", default=str(HERE / "output"), help="goes on from the last checkpoint in it")
parser.add_argument("--steps", type=int, default=TRAINING["steps"])
parser.add_argument("--rate", type=float, default=TRAINING["rate"], help="peak learning rate")
parser.add_argument("--batch", type=int, default=TRAINING["batch"], help="of an update, all GPUs together")
parser.add_argument("--accumulate", type=int, default=TRAINING["accumulate"], help="parts a GPU computes its share in")
parser.add_argument("--evaluate-every", type=int, default=TRAINING["evaluate_every"], help="steps; also saves")
parser.add_argument("--precision", choices=["float32", "bfloat16", "float16"], default=TRAINING["precision"])
parser.add_argument("--seed", type=int, default=TRAINING["seed"])
parser.add_argument("--fsdp", action="store_true", help="shard weights, gradients and moments over GPUs")
parser.add_argument("--from-scratch", action="store_true", help="random weights, for comparison")


class Watch(TrainerCallback):
    """Tells held-out losses, and saves and stops after the step in which a signal came."""

    def __init__(self, from_scratch):
        self.signals, self.from_scratch = 0, from_scratch
        for number in (signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, lambda *_: setattr(self, "signals", 1))

    def on_evaluate(self, args, state, control, metrics, **_):
        if state.is_world_process_zero:
            expected = HANDOFF["model"].get("loss") if state.global_step == 0 and not self.from_scratch else None
            beside = "" if expected is None else f" ({HANDOFF['model']['loss_from']}: {expected:.4f})"
            print(f"step {state.global_step}: held-out loss {metrics['eval_loss']:.4f}{beside}", flush=True)

    def on_step_end(self, args, state, control, **_):
        control.should_evaluate |= state.global_step >= state.max_steps
        stop = torch.tensor(self.signals, device=args.device)
        if torch.distributed.is_initialized():  # all stop after the same step
            torch.distributed.all_reduce(stop, op=torch.distributed.ReduceOp.MAX)
        self.signals = int(stop)
        if self.signals:
            control.should_save = control.should_training_stop = True


def read_moments(model, folder, files):
    """AdamW's moments by parameter, loaded as weights are: names and layouts are those of the checkpoint."""
    stored, moments = {}, {}
    for name in files:
        stored.update(load_file(os.path.join(folder, name)))
    verbosity = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    for moment in ("exp_avg", "exp_avg_sq"):
        start = f"{moment}."
        tensors = {name.removeprefix(start): values for name, values in stored.items() if name.startswith(start)}
        holder, loaded = type(model).from_pretrained(
            None, config=model.config, state_dict=tensors, dtype=torch.float32, output_loading_info=True
        )
        for name, values in holder.named_parameters():
            if name not in loaded["missing_keys"]:
                moments.setdefault(name, {})[moment] = values.detach()
    transformers.logging.set_verbosity(verbosity)
    return moments


class Continued(Trainer):
    """A Trainer whose AdamW begins with the moments beside the checkpoint, where there are some."""

    moments_from = None  # the checkpoint's folder

    def create_optimizer(self, model=None):
        is_new = self.optimizer is None
        optimizer = super().create_optimizer(model)
        if is_new and self.moments_from is not None:
            self.take_moments(optimizer, HANDOFF["model"]["optimizer"])
        return optimizer

    def take_moments(self, optimizer, known):
        if self.is_fsdp_enabled:
            print("The optimizer begins anew: moments are not read into shards.", flush=True)
            return
        moments = read_moments(self.model, self.moments_from, known["files"])
        groups = {id(parameter): group for group in optimizer.param_groups for parameter in group["params"]}
        for name, parameter in self.model.named_parameters():
            if name in moments:
                group = groups[id(parameter)]
                at = parameter.device if group.get("fused") or group.get("capturable") else "cpu"
                state = {moment: values.to(parameter.device) for moment, values in moments[name].items()}
                optimizer.state[parameter] = {"step": torch.tensor(float(known["updates"]), device=at), **state}
        if self.is_world_process_zero():
            said = f"what it knew after {known['updates']} updates, for {len(moments)} of {len(groups)} tensors"
            print(f"The optimizer goes on with {said}.", flush=True)


def main():
    options = parser.parse_args()
    watch = Watch(options.from_scratch)
    share, rest = divmod(options.batch, PROCESSES * options.accumulate)
    if rest or share == 0:
        sys.exit(f"--batch {options.batch} is not a multiple of {PROCESSES} processes x --accumulate {options.accumulate}.")
    transformers.set_seed(options.seed)
    model_class = getattr(transformers, HANDOFF["model"]["class"])
    if options.from_scratch:
        model = model_class(transformers.AutoConfig.from_pretrained(options.model))
    else:
        model = model_class.from_pretrained(options.model, dtype=torch.float32, use_safetensors=True)
    train, held_out = open_data(HANDOFF["data"], options, HERE)

    arguments = TrainingArguments(
        output_dir=options.output,
        max_steps=options.steps,
        use_cpu=not torch.accelerator.is_available(),
        per_device_train_batch_size=share,
        gradient_accumulation_steps=options.accumulate,
        # Held-out batches are scored as they were cut: other sizes would weigh them differently.
        per_device_eval_batch_size=HANDOFF["data"]["held_out_batch"],
        # AdamW, its schedule and the limit of gradients' norm.
        learning_rate=options.rate,
        lr_scheduler_type=TRAINING["schedule"],
        warmup_steps=options.steps // 10 if TRAINING["warmup"] is None else TRAINING["warmup"],
        weight_decay=TRAINING["weight_decay"],
        adam_beta1=TRAINING["betas"][0],
        adam_beta2=TRAINING["betas"][1],
        adam_epsilon=TRAINING["epsilon"],
        max_grad_norm=TRAINING["clip_norm"],
        bf16=options.precision == "bfloat16",
        fp16=options.precision == "float16",
        gradient_checkpointing=TRAINING["recompute"],
        # Scores before the first step and on the way; checkpoints to go on from.
        eval_strategy="steps",
        eval_steps=options.evaluate_every,
        save_steps=options.evaluate_every,
        save_total_limit=2,
        prediction_loss_only=True,
        logging_steps=10,
        seed=options.seed,
        train_sampling_strategy=HANDOFF["data"]["order"],
        dataloader_num_workers=2,
        report_to="none",  # or "wandb", "tensorboard", …
        fsdp=True if options.fsdp else None,
    )
    trainer = Continued(model, arguments, train_dataset=train, eval_dataset=held_out, callbacks=[watch])
    # The loss is the mean of a batch's own targets: all batches have as many, and not every model class heeds other counts.
    trainer.model_accepts_loss_kwargs = False
    last = get_last_checkpoint(options.output) if os.path.isdir(options.output) else None
    arguments.eval_on_start = last is None
    if HANDOFF["model"]["optimizer"] and last is None and not options.from_scratch:
        trainer.moments_from = options.model
    trainer.train(resume_from_checkpoint=last)
    if watch.signals:
        sys.exit(STOPPED)
    trainer.save_model(options.output)
    if trainer.is_world_process_zero():
        for name in HANDOFF["model"]["companions"]:  # tokenizer, preprocessor and their like
            shutil.copy(os.path.join(options.model, name), options.output)


if __name__ == "__main__":
    main()
`;
