"""The app and its driver on a terminal that may be taken away, sent to the background, or stop listening at any moment.

Textual leaves four gaps, measured with 8.2.8. It reads the end of its input again and again, at the cost of a core. A
write to a dead terminal ends the thread that writes, and once thirty more writes are waiting the app waits too. It
suspends and resumes inside a signal handler, which may have interrupted the holder of a lock that it needs. When it
crashes it prints the local variables of every frame into the scrollback, and a secret key may be one of them.

To close them, these names that are internal to Textual are used, all of them here and none anywhere else:

- `_handle_exception`: the one place that hears of an unexpected error, in a handler or in a worker.
- `_fatal_error`: prints the local variables; replaced.
- `_close_messages_no_wait`: ends the app, which is all that is left of `_fatal_error`.
- `_refresh_truecolor_filter`: Textual calls it when the theme changes; here the theme is there before the first frame.
- `_file`: what the driver writes to; replaced by one that does not raise when the terminal has gone.
- `_writer_thread`: whether it is alive; nothing else empties the driver's queue.
- `_enable_mouse_support`, `_disable_mouse_support`: leave the mouse to the terminal while a text is selected.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import termios
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, TextIO

from textual.app import App, ScreenStackError, SuspendNotSupported
from textual.command import CommandPalette
from textual.css.query import NoMatches
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Key
from textual.theme import Theme
from textual.widgets import OptionList
from textual.worker import Worker, WorkerState

from ncp_tui.system.blocking import DaemonExecutor
from ncp_tui.tui.terminal.charset import CHARSET
from ncp_tui.tui.terminal.clipboard import CannotCopy, Clipboard
from ncp_tui.tui.terminal.frame_diff import FrameDiff
from ncp_tui.tui.terminal.sequences import GIVE_BACK, KEEP, RESTORED, has_title, title_sequence
from ncp_tui.tui.terminal.shutdown import TERMINAL_LOST, Shutdown
from ncp_tui.tui.themes import THEMES

WORKER_SECONDS = 1.0
"""How long a cancelled worker may take to write down what it was about."""

WAKING_SECONDS = 0.1
"""How long a signal that ends the program may come after the one that continues it."""


class ReportsWorkerErrors:
    """Turns an unexpected error of a worker into the app's end with a report, never into silence.

    Textual tells only the node that a worker belongs to, so every class that has workers is one of these.
    """

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Hand the error to the app."""
        error = event.worker.error
        if event.state is WorkerState.ERROR and isinstance(error, Exception):
            event.worker.node.app._handle_exception(error)  # noqa: SLF001


class TerminalApp(ReportsWorkerErrors, App[Any], inherit_bindings=False):
    """An app that leaves in order when its terminal does, and ends in time whenever it leaves.

    It prints nothing when it crashes: Textual's report shows local variables, and a secret key may be one. It looks
    like its terminal: in our themes, and without any colour where none is wanted.
    """

    terminal_clipboard: Clipboard

    def __init__(self) -> None:
        self.shutdown = Shutdown()
        self.terminal: TerminalDriver | None = None
        """The driver of the real terminal; None before it is taken over, and in a test without one."""
        self._copied = ""
        super().__init__()
        self.crashed: BaseException | None = None
        """An unexpected exception, to be reported without local variables by what ran the app."""

    def begin_with(self, name: str) -> None:
        """Take the theme `name` before anything is drawn.

        One that changes later has the whole screen sent again, twice (7 kB).
        """
        for theme in THEMES:
            self.register_theme(theme)
        self.set_reactive(App.theme, name)
        self.stylesheet.set_variables(self.get_css_variables())
        # Textual looks at this when the theme changes: until then it would make truecolor of the terminal's colours.
        self._refresh_truecolor_filter(self.ansi_theme)

    def get_theme(self, theme_name: str) -> Theme | None:
        """Find one of our themes at once; Textual makes a new table of all themes each time, 170 times at the start."""
        return next((theme for theme in THEMES if theme.name == theme_name), None) or super().get_theme(theme_name)

    @property
    def native_ansi_color(self) -> bool:
        """Whether the terminal's own colours are used. NO_COLOR counts as that: else Textual makes greys of ours.

        Those are truecolor, as many bytes as before, and not what the user wants (measured with 8.2.8).
        """
        return bool(os.environ.get("NO_COLOR")) or super().native_ansi_color

    def on_key(self, event: Key) -> None:
        """Go through a list of options by lines: a page key before it is laid out ends Textual 8.2.8 by a KeyError.

        None here has more than two pages: the choices of a form, the commands of a screen.
        """
        chooses = isinstance(self.focused, OptionList) or isinstance(self.screen, CommandPalette)
        if chooses and event.key in {"pageup", "pagedown"}:
            event.prevent_default()

    def get_driver_class(self) -> type[Driver]:
        """Use the driver that notices."""
        return TerminalDriver

    def on_resize(self) -> None:
        """Draw everything anew: some terminals break their lines anew, some lose what does not fit."""
        if self.terminal is not None:
            self.terminal.frame_diff.forget()
            # Where the size is as before, after a stop, Textual would draw what has changed meanwhile, and no more.
            self.refresh()

    def name_window(self, title: str) -> None:
        """Have the terminal's window called `title` until the end."""
        if self.terminal is not None:
            self.terminal.name_window(title)

    def send(self, sequence: str) -> None:
        """Send the terminal what moves and draws nothing."""
        if self.terminal is not None:
            self.terminal.write_past_frames(sequence)

    def copy_to_clipboard(self, text: str) -> None:
        """Copy, also from an input; ring where that cannot be done."""
        try:
            self.terminal_clipboard.copy(text)
        except CannotCopy:
            self.bell()

    def send_copy(self, text: str, sequence: str) -> None:
        """Send the sequence that copies `text`, and keep it for an input that pastes by ctrl+v."""
        self._copied = text
        self.send(sequence)

    @property
    def clipboard(self) -> str:
        """What was copied last, for an input that pastes by ctrl+v."""
        return self._copied

    def leave_mouse(self, *, to_terminal: bool) -> None:
        """Leave the mouse to the terminal, to select text with, or take it again."""
        if self.terminal is not None:
            self.terminal.leave_mouse(to_terminal=to_terminal)

    async def lend_terminal(self, said: str, use: Callable[[int], Awaitable[None]]) -> None:
        """Give the terminal back while `use` runs with it, after a line that says what for, then draw anew.

        Meanwhile all work continues, and nothing of it is drawn. Raises what `use` raises, and before it
        SuspendNotSupported where there is no terminal.
        """
        terminal = self.terminal
        if terminal is None:
            raise SuspendNotSupported("there is no terminal to lend")
        failure: BaseException | None = None
        with self.suspend():
            try:
                os.write(terminal.fileno, f"{said}\n".encode(errors="backslashreplace"))
                await use(terminal.fileno)
            except BaseException as error:  # noqa: BLE001 - a cancellation too: Textual takes it back after no error
                failure = error
        if failure is not None:
            raise failure

    def action_suspend_process(self) -> None:
        """Stop, as ctrl+z does to every job of a shell; where no shell could continue it, only ring the bell."""
        if self.terminal is None or not self.terminal.stop_job():
            self.bell()

    def exit(self, result: Any = None, return_code: int = 0, message: Any = None) -> None:
        """Leave; if that takes too long, the process is ended."""
        self.shutdown.arm(return_code)
        super().exit(result, return_code, message)

    def _handle_exception(self, error: Exception) -> None:
        """Take no notice of what is missing because the app is leaving: a screen that is opened then stays empty."""
        if not (self.shutdown.has_begun and isinstance(error, NoMatches | ScreenStackError)):
            self.crashed = self.crashed or error
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        self._close_messages_no_wait()

    async def run_to_the_end(self, *, mouse: bool) -> None:
        """Run in this terminal until the user leaves or has to.

        From then on the process ends within `shutdown.ORDERLY_SECONDS`, whatever it does. Call it once, on the main
        thread.
        """
        asyncio.get_running_loop().set_default_executor(DaemonExecutor())
        self.shutdown.prepare(lambda code: self.exit(return_code=code))
        try:
            await self.run_async(mouse=mouse)
        finally:
            await self._let_workers_end()

    async def _let_workers_end(self) -> None:
        """Wait for what was cancelled; the end of the loop would cancel it a second time, in the middle of its end."""
        ending = [worker.wait() for worker in self.workers if not worker.is_finished]
        with contextlib.suppress(TimeoutError):  # the journal says that it had begun, and that is true
            await asyncio.wait_for(asyncio.gather(*ending, return_exceptions=True), WORKER_SECONDS)


class TerminalDriver(LinuxDriver):
    """Textual's driver for a terminal, on one that may go away."""

    def __init__(
        self, app: TerminalApp, *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        app.terminal = self
        self._shutdown = app.shutdown
        self._shutdown.restore = self.restore
        self._shown = False
        self.frame_diff = FrameDiff()
        """What of a frame is on the terminal already."""
        self._title, self._title_is_ours = "", False
        self._sleeps = 0
        self._file: Any = _Output(self._file, self._lose)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTSTP, self._pause)
        loop.add_signal_handler(signal.SIGCONT, self._on_continued)
        threading.Thread(target=self._watch, name="ncp-tui terminal watch", daemon=True).start()

    def start_application_mode(self) -> None:
        """Take the terminal over, once this process is in its foreground."""
        while self._is_in_background() and not self._shutdown.has_begun:
            self._sleep()
        if not self._shutdown.has_begun:
            self._shown = True
            self.frame_diff.forget()
            super().start_application_mode()  # type: ignore[no-untyped-call]
            self._show_title()

    def stop_application_mode(self) -> None:
        """Give the terminal back. It may belong to a shell by now, so it is given back once."""
        if self._shown:
            if self._title_is_ours:
                self.write_past_frames(GIVE_BACK)
                self._title_is_ours = False
            super().stop_application_mode()
            self._shown = False

    def name_window(self, title: str) -> None:
        """Have the window called `title` for as long as the terminal is taken over."""
        self._title = title
        if self._shown:
            self._show_title()

    def _show_title(self) -> None:
        if self._title and has_title(os.environ):
            self.write_past_frames(("" if self._title_is_ours else KEEP) + title_sequence(self._title))
            self._title_is_ours = True

    def leave_mouse(self, *, to_terminal: bool) -> None:
        """Leave the mouse to the terminal, which then selects text with it, or take it again."""
        if to_terminal:
            self._disable_mouse_support()
        else:
            self._enable_mouse_support()

    def disable_input(self) -> None:
        """Read no more keys."""
        if self._shown:
            # Where it is set because the input was lost, Textual takes the mouse for switched off already.
            self.exit_event.clear()
            super().disable_input()

    def write(self, data: str) -> None:
        """Write `data`, if something is there to write it: the queue to a thread that has ended is never emptied."""
        if self._writer_thread is not None and self._writer_thread.is_alive():
            changed = self.frame_diff.changed(data)
            if changed:
                super().write(CHARSET.encode_frame(changed))

    def write_past_frames(self, data: str) -> None:
        """Write what moves and draws nothing, so that what has been painted is still known."""
        if data and self._writer_thread is not None and self._writer_thread.is_alive():
            super().write(data)

    def run_input_thread(self) -> None:
        """Read keys until the end."""
        while True:
            try:
                super().run_input_thread()
            except UnicodeDecodeError:
                continue  # what was typed is in another encoding: it is dropped, and the next key is read
            except OSError:  # EIO: the other end is closed, or there never was one
                self._lose()
            return

    def restore(self) -> None:
        """Put the terminal back at once and without Textual, from any thread. Raises OSError."""
        if self._shown:
            if self.attrs_before is not None:
                with contextlib.suppress(termios.error):
                    termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
            os.write(self._file.fileno(), RESTORED + GIVE_BACK.encode() * self._title_is_ours)

    def _lose(self) -> None:
        """Leave, because the terminal has gone."""
        # First: the input's end is always ready to be read.
        self.exit_event.set()
        self._shutdown.request(TERMINAL_LOST)

    def _watch(self) -> None:
        """Wait for the terminal to hang up: a poll reports that unasked. Where poll knows no terminals, this ends."""
        poll = select.poll()
        poll.register(self.fileno, 0)
        if any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll()):
            self._lose()

    def _pause(self) -> None:
        """Stop as SIGTSTP asks, with the terminal put back; start from here when continued.

        It runs in the loop, between two callbacks, so nothing is half drawn and no lock is held.
        """
        if self._shutdown.has_begun:
            return
        shown = self._shown
        if shown:
            self.suspend_application_mode()
        self._sleep()
        if shown:
            self.resume_application_mode()

    def stop_job(self) -> bool:
        """Stop the job that this program is of its shell; False where it is none, and no shell would continue it.

        The whole group gets the signal, as from a terminal: a script that started the program has to stop as well.
        """
        if os.getpgrp() == os.getsid(0):  # the first of its terminal, as started by tmux or ssh themselves
            return False
        os.killpg(os.getpgrp(), signal.SIGTSTP)
        return True

    def _on_continued(self) -> None:
        """After a SIGSTOP, of which no program hears, draw anew: another program had the terminal."""
        if self._sleeps:
            self._sleeps -= 1
        elif self._shown and not self._shutdown.has_begun:
            self.suspend_application_mode()
            self.resume_application_mode()

    def _sleep(self) -> None:
        """Stop this process until it is continued."""
        self._sleeps += 1
        os.kill(os.getpid(), signal.SIGSTOP)
        # `kill %1` sends SIGTERM, then SIGCONT. Another thread may take the one, a moment after this one continues.
        time.sleep(WAKING_SECONDS)

    def _is_in_background(self) -> bool:
        """Whether another program has the terminal now: to change it would stop this process in the middle."""
        try:
            return os.tcgetpgrp(self.fileno) != os.getpgrp()
        except OSError:  # not the terminal that this process is controlled by
            return False


class _Output:
    """What Textual writes to. Once a write fails, that one and all later ones go nowhere, and nothing raises."""

    def __init__(self, file: TextIO, lost: Callable[[], None]) -> None:
        self._file = file
        self._lost = lost

    def fileno(self) -> int:
        return self._file.fileno()

    def write(self, text: str) -> None:
        try:
            self._file.write(text)
        except OSError:
            self._forget()

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError:
            self._forget()

    def _forget(self) -> None:
        """Let the bytes that wait in the file go too; the interpreter would try them again at its end, and fail."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._file.fileno())
        os.close(nowhere)
        self._lost()
