"""What providers put beside the text: prices, timings, filter verdicts, reasons of their own."""

from __future__ import annotations

from .dialect_steps import Records, Scene, choices_of, said_in

__all__ = [
    "azure_filters",
    "azure_whole",
    "cost_always",
    "native_finish",
    "running_usage",
    "stop_reason",
    "timings",
    "x_groq",
]


def native_finish(records: Records, _scene: Scene) -> Records:
    """Repeat every finish reason as the upstream provider's own."""
    for choice in choices_of(records):
        choice["native_finish_reason"] = choice["finish_reason"]
    return records


def stop_reason(records: Records, scene: Scene) -> Records:
    """Tell, where a choice ends, which stop sequence ended it."""
    for choice in choices_of(records):
        if choice["finish_reason"] is not None:
            choice["stop_reason"] = scene.answer.choices[choice["index"]].stop_sequence
    return records


def running_usage(records: Records, scene: Scene) -> Records:
    """Count up on every chunk when ``continuous_usage_stats`` asks for it: last wins, never sum."""
    if scene.question.running_usage and scene.question.usage:
        total = scene.answer.usage
        prompt, most = total["prompt_tokens"], total["completion_tokens"]
        for count, record in enumerate(records[:-1]):
            done = min(count, most)
            record["usage"] = {
                "prompt_tokens": prompt,
                "completion_tokens": done,
                "total_tokens": prompt + done,
            }
    return records


def cost_always(records: Records, scene: Scene) -> Records:
    """End with usage and its price, asked for or not."""
    price = round(scene.answer.usage["total_tokens"] * 1e-6, 9)
    usage = {**scene.answer.usage, "cost": price, "is_byok": False,
             "cost_details": {"upstream_inference_cost": None}}  # fmt: skip
    last = records[-1]
    if last["choices"] and "delta" in last["choices"][0]:
        last = {**last, "choices": []}
        records.append(last)
    last["usage"] = usage
    return records


def timings(records: Records, scene: Scene) -> Records:
    """Put the speed of the generation on the last record with a choice."""
    usage = scene.answer.usage
    predicted = usage["completion_tokens"]
    last = next(record for record in reversed(records) if record["choices"])
    last["timings"] = {
        "prompt_n": usage["prompt_tokens"],
        "prompt_ms": 1.5,
        "predicted_n": predicted,
        "predicted_ms": predicted * 2.0,
        "predicted_per_second": 500.0,
    }
    return records


_SAFE = {name: {"filtered": False, "severity": "safe"}
         for name in ("hate", "self_harm", "sexual", "violence")}  # fmt: skip


def azure_filters(records: Records, _scene: Scene) -> Records:
    """Open with the verdict on the prompt, which has no choice, and end with a late filter note."""
    for choice in choices_of(records):
        choice["content_filter_results"] = _SAFE if said_in(choice).get("content") else {}
    verdict = [{"prompt_index": 0, "content_filter_results": _SAFE}]
    blank = {"id": "", "object": "", "created": 0, "model": "", "system_fingerprint": None}
    offsets = {"check_offset": 0, "start_offset": 0, "end_offset": 0}
    note = {"index": 0, "finish_reason": None, "content_filter_results": _SAFE,
            "content_filter_offsets": offsets}  # fmt: skip
    opening = {**blank, "choices": [], "prompt_filter_results": verdict}
    return [opening, *records, {**blank, "choices": [note]}]


def azure_whole(records: Records, _scene: Scene) -> Records:
    """Put the verdicts of the content filter on a whole completion."""
    for choice in choices_of(records):
        choice["content_filter_results"] = _SAFE
    records[0]["prompt_filter_results"] = [{"prompt_index": 0, "content_filter_results": _SAFE}]
    return records


def x_groq(records: Records, scene: Scene) -> Records:
    """Name the request on the first record, and give its usage on the last with a choice."""
    times = {"queue_time": 0.001, "prompt_time": 0.002, "completion_time": 0.02,
             "total_time": 0.022}  # fmt: skip
    mark = f"req_{scene.answer.id}"
    records[0]["x_groq"] = {"id": mark}
    last = next(record for record in reversed(records) if record["choices"])
    last["x_groq"] = {"id": mark, "usage": {**scene.answer.usage, **times}}
    return records
