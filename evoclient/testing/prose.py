"""The text engine of the demo server: a short, readable answer to any question.

Nothing here is random. The question and the number of the choice select one of several headings,
openings, lists and closings, so that equal questions get equal answers and others differ.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

__all__ = ["compose", "obey", "ponder", "report"]

_QUOTE = 40  # characters; a long question is quoted by its beginning
_MOST = 100_000  # numbers; "count to" a larger one is answered as far as this

_REPEAT = re.compile(r"\s*repeat: ?", re.IGNORECASE)
_ECHO = re.compile(r"\brepeat\b.*\b(user|message|me)\b", re.IGNORECASE | re.DOTALL)
_COUNT = re.compile(r"\bcount to (\d{1,9})\b", re.IGNORECASE)


@dataclass(frozen=True)
class _Language:
    """The building blocks of an answer in one language; ``{}`` takes the quoted question."""

    letters: re.Pattern[str]
    headings: tuple[str, ...]
    openings: tuple[str, ...]
    points: tuple[str, ...]
    closings: tuple[str, ...]
    result: str
    thought: str


_ENGLISH = _Language(
    letters=re.compile(""),
    headings=(
        "## A stream, piece by piece",
        "## What arrives before the end",
        "## Reading while it is written",
    ),
    openings=(
        'You wrote: "{}". This answer comes from the demo server of **evoclient**, and you read '
        "it while it is still on its way. No model is behind it, only a small text engine.",
        'Your message was "{}". A real model would think about it; the **demo server** only shows '
        "how its words would reach you: one small event after the other, at a steady pace.",
        'Here is an answer to "{}", written by no one in particular. The **demo server** of '
        "evoclient sends it in small events, just as a large model would do.",
    ),
    points=(
        "- **Chunks** arrive in order and carry a few characters each.",
        "- **Stop sequences** end the text before their first occurrence.",
        "- **Usage** is counted and sent when you ask for it.",
        "- **Errors** inside a stream keep the text you already have.",
        "- **Tools** are called with arguments that fit their schema.",
        "- **Both colours**, blocking and asyncio, read the same events.",
    ),
    closings=(
        "Ask the same question again and you get the same words, which is what a test wants. Ask "
        "another, and they change.",
        "Try it with a slower pace, with two choices, or with a fault in the middle: the client "
        "tells you what happened.",
        "When you are ready, give the client a real address and a key. Your code stays; only the "
        "answers become wiser.",
    ),
    result='The tool answered: {}\n\nThat is the result for "{}".',
    thought='The user asks about "{}". A short, friendly answer with a list will do.',
)

_RUSSIAN = _Language(
    letters=re.compile("[а-яё]", re.IGNORECASE),
    headings=("## Ответ по частям", "## Текст, который ещё пишется"),
    openings=(
        "Вы написали: «{}». Этот ответ пришёл от демонстрационного сервера **evoclient**: модели "
        "за ним нет, зато текст приходит так же, как от настоящей — маленькими событиями, одно за "
        "другим. 🚀",
        "Ваше сообщение: «{}». Настоящая модель подумала бы над ним, а **демо-сервер** только "
        "показывает, как её слова дошли бы до вас: понемногу, в ровном темпе, без задержек. ✨",
    ),
    points=(
        "- **Фрагменты** приходят по порядку, по нескольку букв в каждом.",
        "- **Стоп-последовательности** обрывают текст до первого вхождения.",
        "- **Расход токенов** считается и приходит по запросу.",
        "- **Ошибки** внутри потока не отнимают уже полученный текст.",
        "- **Кириллица**, иероглифы 流 и эмодзи 👩‍💻 доходят без потерь.",
    ),
    closings=(
        "Повторите вопрос — и получите те же слова: именно это нужно хорошему тесту. Спросите о "
        "другом, и ответ изменится вместе с вопросом.",
        "Когда будете готовы, укажите настоящий адрес и ключ. Ваш код останется прежним, только "
        "ответы станут мудрее.",
    ),
    result="Инструмент ответил: {}\n\nЭто результат на запрос «{}».",
    thought="Пользователь спрашивает: «{}». Хватит короткого дружелюбного ответа со списком.",
)

_CHINESE = _Language(
    letters=re.compile("[\u3040-\u30ff\u4e00-\u9fff]"),
    headings=("## 逐字到达的回答", "## 边写边读"),
    openings=(
        "你写道：“{}”。这段回答来自 **evoclient** 的演示服务器，背后没有模型，但文字的到达方式与"
        "真实模型相同：一个个小事件，按稳定的节奏送达。🚀",
        "你的消息是：“{}”。真正的模型会思考它，而**演示服务器**只展示文字如何一点一点来到你面前，"
        "不需要密钥，也不需要网络。✨",
    ),
    points=(
        "- **片段**按顺序到达，每个只有几个字。",
        "- **停止序列**会在第一次出现之前结束文本。",
        "- **用量**会被统计，并在需要时发送。",
        "- **错误**发生时，已收到的文字不会丢失。",
        "- **表情符号** 👩‍💻 与西里尔字母 Я 都能完整到达。",
    ),
    closings=(
        "再问一次同样的问题，会得到同样的文字，这正是好的测试所需要的。换一个问题，回答也会随之改变。",
        "准备好之后，请填写真实的地址和密钥。代码无需改动，只是回答会更有智慧。",
    ),
    result="工具返回：{}\n\n这是对“{}”的结果。",
    thought="用户询问：“{}”。一个简短友好的列表式回答就够了。",
)


def compose(question: str, *, choice: int = 0) -> str:
    """Write an answer of a heading, an opening that quotes the question, a list and a closing."""
    language = _language(question)
    seed = zlib.crc32(question.encode("utf-8", "replace")) // 7 + choice
    first = seed % len(language.points)
    points = [language.points[(first + step) % len(language.points)] for step in range(3)]
    return "\n\n".join(
        [
            language.headings[seed % len(language.headings)],
            language.openings[seed // 2 % len(language.openings)].format(_quote(question)),
            "\n".join(points),
            language.closings[seed // 3 % len(language.closings)],
        ]
    )


def obey(question: str, instructions: str = "") -> str | None:
    """Return the exact text the question or the system prompt asks for, or None.

    ``repeat: TEXT`` asks for TEXT, ``count to 5`` for ``1 2 3 4 5``, and a system prompt such as
    "Repeat the user's message" for the question itself.
    """
    for order in (question, instructions):
        if repeated := _REPEAT.match(order):
            return order[repeated.end() :]
    if _ECHO.search(instructions):
        return question
    if counted := _COUNT.search(question):
        last = min(int(counted[1]), _MOST)
        return " ".join(str(value) for value in range(1, last + 1))
    return None


def report(question: str, results: list[str]) -> str:
    """Write the answer that follows tool calls: it quotes what the tools returned."""
    return _language(question).result.format("; ".join(results), _quote(question))


def ponder(question: str) -> str:
    """Write the line of reasoning that precedes an answer, for dialects that show it."""
    return _language(question).thought.format(_quote(question))


def _language(question: str) -> _Language:
    for language in (_CHINESE, _RUSSIAN):
        if language.letters.search(question):
            return language
    return _ENGLISH


def _quote(question: str) -> str:
    line = " ".join(question.split())
    return line if len(line) <= _QUOTE else line[:_QUOTE].rstrip() + " ..."
