"""What the server tells about itself: models, the key, credits, and past generations."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from .answers import Answer
from .chunks import CREATED

__all__ = ["Generations", "credits_record", "key_record", "model_record"]

_REMEMBERED = 1000  # generations; a long test run must not grow without end
_PRICE = 1e-6  # per token, the same as the dialect of OpenRouter reports
_LIMIT = 10.0


def model_record(name: str) -> dict[str, Any]:
    """Describe a model in OpenAI's words, with the prices OpenRouter adds."""
    return {
        "id": name,
        "object": "model",
        "created": CREATED,
        "owned_by": "evoclient",
        "name": name,
        "context_length": 8192,
        "pricing": {"prompt": "0.000001", "completion": "0.000001"},
        "supported_parameters": ["max_tokens", "response_format", "stop", "tools"],
    }


def key_record(spent: float) -> dict[str, Any]:
    """Describe the key as OpenRouter does."""
    return {
        "data": {
            "label": "demo",
            "limit": _LIMIT,
            "limit_remaining": round(_LIMIT - spent, 9),
            "limit_reset": None,
            "usage": spent,
            "is_free_tier": False,
        }
    }


def credits_record(spent: float) -> dict[str, Any]:
    """Describe the account as OpenRouter does."""
    return {"data": {"total_credits": _LIMIT, "total_usage": spent}}


class Generations:
    """The last generations, for those who ask what one has cost."""

    def __init__(self) -> None:
        """Begin with nothing generated and nothing spent."""
        self._records: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self.spent = 0.0

    def add(self, answer: Answer, *, streamed: bool) -> None:
        """Remember an answer; it counts as cancelled until `finished` is called."""
        usage = answer.usage
        cost = round(usage["total_tokens"] * _PRICE, 9)
        self.spent = round(self.spent + cost, 9)
        self._records[answer.id] = {
            "id": answer.id,
            "model": answer.model,
            "streamed": streamed,
            "cancelled": True,
            "finish_reason": answer.choices[0].finish,
            "native_finish_reason": answer.choices[0].finish,
            "tokens_prompt": usage["prompt_tokens"],
            "tokens_completion": usage["completion_tokens"],
            "native_tokens_prompt": usage["prompt_tokens"],
            "native_tokens_completion": usage["completion_tokens"],
            "total_cost": cost,
            "usage": cost,
            "provider_name": "Demo",
            "is_byok": False,
        }
        if len(self._records) > _REMEMBERED:
            self._records.popitem(last=False)

    def finished(self, generation_id: str) -> None:
        """Note that an answer was delivered to its end."""
        if generation_id in self._records:
            self._records[generation_id]["cancelled"] = False

    def find(self, generation_id: str) -> dict[str, Any] | None:
        """Return the record of one generation in OpenRouter's envelope."""
        record = self._records.get(generation_id)
        return None if record is None else {"data": record}
