"""Make a Llama with random weights: it loads and answers like any model, and says nothing.

For tests of everything that must not depend on what a model says. Its tokenizer is trained on the
spot on the texts it is given, e.g. the tasks of the stages.

    python tools/memo/random_llama.py FOLDER --texts pipeline/stages/*/task.md

A wider one (--width 1024 --feed-forward 4096) shows how sums of a batch round differently.

Runs in vLLM's environment (tools/vllm.sh).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import transformers
from network import new_llama, save
from vocabulary import WHOLE_CHAT, train_tokenizer

LAYERS, WIDTH, FEED_FORWARD = 2, 128, 256
VOCABULARY, LONGEST_TOKEN = 4000, 16
CONTEXT = 32_768


def main() -> int:
    """Make the model; exit code 1 and a sentence if a text cannot be read."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where the model is to lie")
    parser.add_argument("--texts", nargs="+", type=Path, required=True, metavar="FILE",
                        help="what its tokenizer is trained on")  # fmt: skip
    parser.add_argument("--seed", type=int, default=1, help="of its weights")
    parser.add_argument("--layers", type=int, default=LAYERS)
    parser.add_argument("--width", type=int, default=WIDTH, help="a multiple of 32")
    parser.add_argument("--feed-forward", type=int, default=FEED_FORWARD)
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        texts = [path.read_text(encoding="utf-8") for path in sorted(arguments.texts)]
    except OSError as error:
        print(f"random_llama: {error}", file=sys.stderr)
        return 1
    tokenizer = train_tokenizer(texts, VOCABULARY, LONGEST_TOKEN, WHOLE_CHAT)
    model = new_llama(
        tokenizer,
        layers=arguments.layers,
        width=arguments.width,
        feed_forward=arguments.feed_forward,
        context=CONTEXT,
        seed=arguments.seed,
    )
    save(model, tokenizer, arguments.folder)
    print(arguments.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
