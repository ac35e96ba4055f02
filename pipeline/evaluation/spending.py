"""What cells took: rounds, calls, tokens, time, GPU-seconds, energy, and what that costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.evaluation.cell import Cell
from pipeline.evaluation.intervals import Amount, mean, ratio, share

BY_PRICES = "prices of the model's configuration"
BY_GPU_HOURS = "GPU-hours"


@dataclass(frozen=True)
class Pricing:
    """What is known of prices besides the costs that were recorded; by model."""

    per_gpu_hour: Mapping[str, float] = field(default_factory=dict)
    """Price of an hour of one GPU, for cells with GPU-seconds and no recorded cost."""
    dates: Mapping[str, str] = field(default_factory=dict)
    """Date of the price table."""


NO_PRICING = Pricing()


@dataclass(frozen=True)
class Spending:
    """Means per rated cell; without a value where nobody reported it. Units in the names."""

    rounds: Amount
    api_calls: Amount
    prompt_tokens: Amount
    completion_tokens: Amount
    tokens: Amount
    agent_s: Amount
    execute_s: Amount
    wall_s: Amount
    gpu_s: Amount
    energy_j: Amount
    cost: Amount
    cost_basis: str
    """BY_PRICES with their date, BY_GPU_HOURS with their price, both, or '' where there is none."""
    calls_lost: Amount
    """Share of calls that went into rounds that were not accepted."""
    per_pass: dict[str, Amount]
    """api_calls, tokens, wall_s, gpu_s, energy_j and cost of all rated cells per passed one."""


def spending(cells: Sequence[Cell], pricing: Pricing = NO_PRICING) -> Spending:
    """What the rated ones of `cells` took. What was spent on others is in none of the numbers."""
    rated = [cell for cell in cells if cell.rated]

    def per_cell(of: Callable[[Cell], float | None]) -> Amount:
        return mean([v for cell in rated if (v := of(cell)) is not None], at_least=0.0)

    def per_pass(of: Callable[[Cell], float | None]) -> Amount:
        known = [(v, float(c.outcome == "passed")) for c in rated if (v := of(c)) is not None]
        return ratio([v for v, _ in known], [passed for _, passed in known])

    solved: dict[str, Callable[[Cell], float | None]] = {
        "api_calls": lambda c: c.api_calls,
        "tokens": _tokens,
        "wall_s": _wall_s,
        "gpu_s": lambda c: c.gpu_s,
        "energy_j": lambda c: c.energy_j,
        "cost": lambda c: cost_of(c, pricing),
    }
    return Spending(
        rounds=per_cell(lambda c: c.rounds),
        api_calls=per_cell(lambda c: c.api_calls),
        prompt_tokens=per_cell(lambda c: c.prompt_tokens),
        completion_tokens=per_cell(lambda c: c.completion_tokens),
        tokens=per_cell(_tokens),
        agent_s=per_cell(lambda c: c.agent_s),
        execute_s=per_cell(lambda c: c.execute_s),
        wall_s=per_cell(_wall_s),
        gpu_s=per_cell(lambda c: c.gpu_s),
        energy_j=per_cell(lambda c: c.energy_j),
        cost=per_cell(lambda c: cost_of(c, pricing)),
        cost_basis=_basis(rated, pricing),
        calls_lost=share([c.calls_lost for c in rated], [c.api_calls for c in rated]),
        per_pass={name: per_pass(of) for name, of in solved.items()},
    )


def cost_of(cell: Cell, pricing: Pricing) -> float | None:
    """The recorded cost; from GPU-hours where there is none; None where neither is known."""
    if cell.cost is not None:
        return cell.cost
    price = pricing.per_gpu_hour.get(cell.model)
    if price is not None and cell.gpu_s is not None:
        return cell.gpu_s / 3600 * price
    return None


def _tokens(cell: Cell) -> float:
    return cell.prompt_tokens + cell.completion_tokens


def _wall_s(cell: Cell) -> float:
    return cell.agent_s + cell.execute_s


def _basis(cells: Sequence[Cell], pricing: Pricing) -> str:
    recorded = {c.model for c in cells if c.cost is not None}
    by_gpu = {c.model for c in cells if c.cost is None and cost_of(c, pricing) is not None}
    parts = []
    if recorded:
        parts.append(f"{BY_PRICES} ({_dates(recorded, pricing)})")
    if by_gpu:
        prices = ", ".join(f"{p:g}" for p in sorted({pricing.per_gpu_hour[m] for m in by_gpu}))
        parts.append(f"{BY_GPU_HOURS} at {prices} each ({_dates(by_gpu, pricing)})")
    return "; ".join(parts)


def _dates(models: Iterable[str], pricing: Pricing) -> str:
    return ", ".join(sorted({pricing.dates.get(model, "no date") for model in models}))
