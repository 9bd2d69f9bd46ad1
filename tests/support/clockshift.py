"""Let programs take another moment for now: ours, and all that they start.

Debian's libfaketime cannot be had for this: under version 0.9.10 a Python's `time.sleep` fails
or never ends. What sleeps or measures here keeps the true time; only the date is another.
"""

from __future__ import annotations

import subprocess
import time
from datetime import datetime
from pathlib import Path

_SOURCE = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

int clock_gettime(clockid_t id, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    const char *shift = getenv("CLOCK_SHIFT");
    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int done = real(id, now);
    if (!done && shift && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        now->tv_sec += atoll(shift);
    return done;
}

time_t time(time_t *where)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (where)
        *where = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict where, void *restrict zone)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    where->tv_sec = now.tv_sec;
    where->tv_usec = now.tv_nsec / 1000;
    return 0;
}
"""


class ClockShift:
    """The library that does it, compiled into ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._library = folder / "clockshift.so"
        source = folder / "clockshift.c"
        source.write_text(_SOURCE)
        words = ("cc", "-shared", "-fPIC", "-O1", "-o", self._library, source, "-ldl")
        subprocess.run(words, check=True)

    def at(self, moment: datetime) -> dict[str, str]:
        """Return the environment in which it is ``moment`` when a program starts."""
        shift = round(moment.timestamp() - time.time())
        return {"LD_PRELOAD": str(self._library), "CLOCK_SHIFT": str(shift)}
