# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls of a function in several threads.

A task with one request at a time does not need this file: every file adds to the start of a module.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")
Item = TypeVar("Item")


def map_in_threads(function: Callable[[Item], T], items: Sequence[Item], workers: int, stop: Event) -> list[T]:
    """Call a function for each item, and return the results in order.

    Raises the first error, and then sets stop: calls not begun are dropped, and waits for it end.
    """
    results: dict[int, T] = {}
    waiting: SimpleQueue[tuple[int, Item]] = SimpleQueue()
    for numbered in enumerate(items):
        waiting.put(numbered)
    done: SimpleQueue[tuple[int, T] | BaseException] = SimpleQueue()

    def work() -> None:
        while not stop.is_set():
            try:
                number, item = waiting.get_nowait()
            except Empty:
                return
            try:
                done.put((number, function(item)))
            except BaseException as error:
                done.put(error)
                stop.set()

    for _number in range(min(workers, len(items))):
        # Daemons, so that the end of a task never waits for a response.
        Thread(target=work, daemon=True).start()
    try:
        while len(results) < len(items):
            outcome = done.get()
            if isinstance(outcome, BaseException):
                raise outcome
            results[outcome[0]] = outcome[1]
    except BaseException:
        # Also if the timeout of the task interrupts: this ends the running threads.
        stop.set()
        raise
    return [results[number] for number in range(len(items))]
