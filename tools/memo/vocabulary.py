"""The tokenizer: trained on the spot, its tokens are whole pieces of the lines it was shown."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

BEGIN, END, PADDING = "<|begin|>", "<|end|>", "<|padding|>"
ROLES = ("<|system|>", "<|user|>", "<|assistant|>")
SPECIAL = (PADDING, BEGIN, END, *ROLES)

_LINES = Regex(r"[^\n]*\n+|[^\n]+")
"""A line with the empty lines behind it: how many these are is hard to learn as tokens."""

WHOLE_CHAT = """\
{{- '<|begin|>' -}}
{%- for message in messages -%}
{{- '<|' + message['role'] + '|>' + message['content'] + '<|end|>' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}
"""
"""A chat template that shows the model everything."""

_PIECES = """\
{{- '<|begin|>' -}}
{%- for message in messages if message['role'] != 'system' -%}
{{- '<|' + message['role'] + '|>' -}}
{%- if loop.first and message['content'] | length > HEAD + TAIL -%}
{{- message['content'][:HEAD] + '\\n' -}}
{%- endif -%}
{{- message['content'][-TAIL:] + '<|end|>' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}
"""


def pieces_of_chat(head: int, tail: int) -> str:
    """A chat template that shows the first `head` characters and the last `tail` of the prompt.

    Of the first message after the system's the beginning is shown too, because it names the
    stage; of each later one (a repair) only the last `tail` characters.
    """
    return _PIECES.replace("HEAD", str(head)).replace("TAIL", str(tail))


def train_tokenizer(
    texts: Sequence[str], size: int, longest: int, chat_template: str
) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer of at most `size` tokens, learned from `texts`.

    Tokens may span words, but no lines, and are at most `longest` bytes long: a text it was
    trained on takes few tokens, and any other text can be written with it as well.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(_LINES, "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        max_token_length=longest,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BEGIN,
        eos_token=END,
        pad_token=PADDING,
        chat_template=chat_template,
        clean_up_tokenization_spaces=False,
    )
