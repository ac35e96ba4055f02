"""The network: a Llama of a size that a processor trains and serves, saved as Hugging Face does."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

HEAD_WIDTH = 32


def new_llama(
    tokenizer: PreTrainedTokenizerFast,
    *,
    layers: int,
    width: int,
    feed_forward: int,
    context: int,
    seed: int,
) -> LlamaForCausalLM:
    """A Llama with random weights from `seed`, for the tokens of `tokenizer`, in float32."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=feed_forward,
        num_hidden_layers=layers,
        num_attention_heads=width // HEAD_WIDTH,
        num_key_value_heads=width // HEAD_WIDTH,
        max_position_embeddings=context,
        tie_word_embeddings=False,  # learns by heart in fewer steps than with one matrix for both
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        dtype="float32",
    )
    return LlamaForCausalLM(config)


def save(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write model and tokenizer to `folder`, whole or not at all; an old one there is replaced."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        model.save_pretrained(fresh)
        tokenizer.save_pretrained(fresh)
        fresh.chmod(0o755)  # mkdtemp gives it to one user alone
        if folder.exists():
            shutil.rmtree(folder)
        os.rename(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
