"""Train a small Llama that knows the dialogues of a scripted run by heart, to be served by vLLM.

It is a real model behind a real server that does the job, small enough for a test; it understands
nothing. What it sees of a prompt is cut by its own chat template to the first characters (they
name the stage) and the last ones (they say who is asked, and what came of the last round): the
smallest pieces that tell all dialogues apart. Only replies are learned, until greedy decoding
repeats each of them to the character, and the temperature must be 0 when it is asked.

    python tools/memo/train.py --dialogues RUN/points/*/*/trajectory.jsonl --output FOLDER

Runs in vLLM's environment (tools/vllm.sh); OMP_WAIT_POLICY=PASSIVE helps much where others use
the same cores. What was learned once is kept under LADON_CACHE (~/.cache/ladon/memo), named by
the SHA-256 of dialogues, program and versions, and given at once when it is asked for again.
Prints the model's folder as its last line.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import torch
import transformers
from dialogues import Dialogue, DialogueError, check_distinct, digest, read_dialogues
from learning import Lesson, NotLearnedError, learn, recite
from network import new_llama, save
from transformers import PreTrainedTokenizerFast
from vocabulary import pieces_of_chat, train_tokenizer

LAYERS, WIDTH, FEED_FORWARD = 3, 128, 384
VOCABULARY, LONGEST_TOKEN = 6000, 32
CONTEXT = 16_384
PIECES = ((48, 160), (128, 512), (512, 1024), (2048, 2048))
"""Characters of the beginning and of the end of a prompt that the model may be shown."""
SEED = 20_200_630


def main() -> int:
    """Train or find the model; exit code 1 and a sentence if the dialogues cannot be learned."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--dialogues", nargs="+", type=Path, required=True, metavar="FILE",
                        help="trajectory.jsonl files of a scripted run")  # fmt: skip
    parser.add_argument("--output", type=Path, metavar="FOLDER",
                        help="where the model is to lie besides the cache")  # fmt: skip
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        dialogues = read_dialogues(sorted(arguments.dialogues))
        folder = _cache() / _key(dialogues)
        if folder.is_dir():
            print(f"memo: {len(dialogues)} dialogues were learned before")
        else:
            teach(dialogues, folder)
    except (DialogueError, NotLearnedError, OSError) as error:
        print(f"memo: {error}", file=sys.stderr)
        return 1
    _point_to(folder)
    if arguments.output is not None:
        shutil.copytree(folder, arguments.output, dirs_exist_ok=True)
        folder = arguments.output
    print(folder)
    return 0


def teach(dialogues: Sequence[Dialogue], folder: Path) -> None:
    """Train a model on `dialogues`, check that it recites them, and save it as `folder`."""
    began = time.monotonic()
    torch.set_num_threads(min(2, os.cpu_count() or 1))
    torch.use_deterministic_algorithms(True)
    tokenizer = fitting_tokenizer(dialogues)
    lessons = [_lesson(tokenizer, dialogue) for dialogue in dialogues]
    model = new_llama(
        tokenizer, layers=LAYERS, width=WIDTH, feed_forward=FEED_FORWARD, context=CONTEXT, seed=SEED
    )
    print(
        f"memo: {len(lessons)} dialogues of {sum(len(d.reply) for d in dialogues)} characters, "
        f"{sum(len(lesson.prompt) for lesson in lessons)} + "
        f"{sum(len(lesson.reply) for lesson in lessons)} tokens (longest reply "
        f"{max(len(lesson.reply) for lesson in lessons)}), vocabulary {len(tokenizer)}, "
        f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters",
        flush=True,
    )
    learned = learn(model, lessons, SEED, _show)
    for dialogue, lesson in zip(dialogues, lessons, strict=True):
        said = tokenizer.decode(recite(model, lesson), skip_special_tokens=True)
        if said != dialogue.reply:
            raise NotLearnedError(
                f"expected the reply of {dialogue.where} to the character, found {said[:200]!r}"
            )
    save(model, tokenizer, folder)
    print(
        f"memo: learned in {learned.epochs} epochs, {learned.cpu_s:.0f} s of CPU time and "
        f"{time.monotonic() - began:.0f} s in all; least probability of a token "
        f"{learned.least_probability:.3f}",
        flush=True,
    )


def fitting_tokenizer(dialogues: Sequence[Dialogue]) -> PreTrainedTokenizerFast:
    """A tokenizer for the replies, with the shortest chat template that tells dialogues apart.

    Raises DialogueError if none does.
    """
    replies = [dialogue.reply for dialogue in dialogues]
    for head, tail in PIECES:
        template = pieces_of_chat(head, tail)
        tokenizer = train_tokenizer(replies, VOCABULARY, LONGEST_TOKEN, template)
        rendered = [_rendered(tokenizer, dialogue) for dialogue in dialogues]
        try:
            check_distinct(rendered, dialogues)
        except DialogueError:
            if (head, tail) == PIECES[-1]:
                raise
        else:
            return tokenizer
    raise AssertionError("the last of PIECES returns or raises")


def _show(epoch: int, loss: float) -> None:
    if epoch % 5 == 0:
        print(f"memo: epoch {epoch}, mean loss per token {loss:.4f}", flush=True)


def _rendered(tokenizer: PreTrainedTokenizerFast, dialogue: Dialogue) -> str:
    messages = [dict(message) for message in dialogue.messages]
    text = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    return str(text)


def _lesson(tokenizer: PreTrainedTokenizerFast, dialogue: Dialogue) -> Lesson:
    prompt = tokenizer.encode(_rendered(tokenizer, dialogue), add_special_tokens=False)
    reply = tokenizer.encode(dialogue.reply, add_special_tokens=False)
    return Lesson(prompt, [*reply, int(tokenizer.eos_token_id)])


def _key(dialogues: Sequence[Dialogue]) -> str:
    """SHA-256 over everything that decides the weights, but the machine."""
    whole = hashlib.sha256(digest(dialogues).encode())
    for program in sorted(Path(__file__).parent.glob("*.py")):
        whole.update(program.read_bytes())
    for package in ("tokenizers", "torch", "transformers"):
        whole.update(f"{package}=={version(package)}".encode())
    return whole.hexdigest()


def _point_to(folder: Path) -> None:
    """`newest` in the cache is the model that was asked for last; model=memo is served from it."""
    temporary = folder.parent / f".newest.{os.getpid()}"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(folder.name)
    os.replace(temporary, folder.parent / "newest")


def _cache() -> Path:
    named = os.environ.get("LADON_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "ladon" / "memo"


if __name__ == "__main__":
    sys.exit(main())
