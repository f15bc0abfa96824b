"""What workflow code must not call, why, and what it calls instead: one table for the run-time guard and the static
pass."""

from __future__ import annotations

from dataclasses import dataclass

_NOW = "is different on each replay"
_FILES = "uses the file system, which is not the same on each replay"
_NETWORK = "uses the network, which a replay would do again"
_PROCESSES = "acts on processes, which a replay would do again"
_BLOCKS = "blocks the thread that runs workflows"
_THREADS = "starts a thread, whose timing is different on each replay"
_LOOPS = "needs an event loop of its own"

_ACTIVITY = "do it in an activity"


@dataclass(frozen=True)
class Rule:
    """Why a call is refused and what to do instead; with ``harmless_from`` arguments or more it is allowed."""

    why: str
    instead: str
    harmless_from: int | None = None

    def applies(self, arguments: int) -> bool:
        return self.harmless_from is None or arguments < self.harmless_from

    def message(self, call: str, place: str = "") -> str:
        where = f"workflow code ({place})" if place else "workflow code"
        return f"{call}() in {where} {self.why}: {self.instead}"

    def message_through(self, call: str, inner: str, place: str) -> str:
        """The message for a function that is not refused by name, but calls one that is."""
        return f"{call}() in workflow code ({place}) calls {inner}(), which {self.why}: {self.instead}"


def rule_of(name: str) -> Rule | None:
    """The rule for the full name of a function or class, such as ``datetime.datetime.now``."""
    return RULES.get(name)


def words(text: str) -> frozenset[str]:
    """The words of a text; for tables that are read more often than they are written."""
    return frozenset(text.split())


def _named(module: str, names: str, why: str, instead: str = _ACTIVITY) -> dict[str, Rule]:
    """One rule for several names of a module; ``{}`` in the advice stands for the name."""
    return {f"{module}.{name}": Rule(why, instead.replace("{}", name)) for name in names.split()}


_RANDOM = (
    "betavariate binomialvariate choice choices expovariate gammavariate gauss getrandbits lognormvariate "
    "normalvariate paretovariate randbytes randint random randrange sample shuffle triangular uniform "
    "vonmisesvariate weibullvariate"
)
_SECRETS = "choice randbelow randbits token_bytes token_hex token_urlsafe SystemRandom"
_NUMPY = (
    "bytes choice exponential gamma normal permutation poisson rand randint randn random random_sample seed shuffle "
    "standard_normal uniform"
)
_OS_FILES = (
    "access chmod chown getcwd link listdir lstat makedirs mkdir open read readlink remove removedirs rename renames "
    "replace rmdir scandir stat symlink truncate unlink utime walk write"
)
_OS_PROCESSES = (
    "execl execle execlp execlpe execv execve execvp execvpe fork forkpty kill killpg popen posix_spawn posix_spawnp "
    "spawnl spawnle spawnlp spawnlpe spawnv spawnve spawnvp spawnvpe startfile system wait waitpid"
)
_PATH = (
    "absolute chmod cwd exists expanduser glob hardlink_to home is_dir is_file is_mount is_symlink iterdir lchmod "
    "lstat mkdir open owner read_bytes read_text readlink rename replace resolve rglob rmdir samefile stat symlink_to "
    "touch unlink walk write_bytes write_text"
)
_SHUTIL = (
    "chown copy copy2 copyfile copyfileobj copymode copystat copytree disk_usage make_archive move rmtree "
    "unpack_archive which"
)
_TEMPFILE = "NamedTemporaryFile SpooledTemporaryFile TemporaryDirectory TemporaryFile gettempdir mkdtemp mkstemp mktemp"
_SOCKET = (
    "create_connection create_server getaddrinfo getfqdn gethostbyaddr gethostbyname gethostbyname_ex gethostname "
    "getnameinfo socket socketpair"
)
_REQUESTS = "delete get head options patch post put request Session session"
_HTTPX = "delete get head options patch post put request stream AsyncClient Client"
_SUBPROCESS = "Popen call check_call check_output getoutput getstatusoutput run"

_CLOCKS = ("time", "monotonic", "perf_counter", "process_time", "thread_time")
_CALENDAR = {"localtime": 1, "gmtime": 1, "ctime": 1, "asctime": 1, "strftime": 2}

RULES: dict[str, Rule] = {
    # Time
    **{f"time.{name}": Rule(_NOW, "use workflow.time()") for name in (*_CLOCKS, "clock_gettime")},
    **{f"time.{name}_ns": Rule(_NOW, "use workflow.time_ns()") for name in (*_CLOCKS, "clock_gettime")},
    **{
        f"time.{name}": Rule("without a time " + _NOW, "use workflow.now()", harmless_from=arguments)
        for name, arguments in _CALENDAR.items()
    },
    **_named("datetime.datetime", "now utcnow today", _NOW, "use workflow.now()"),
    "datetime.date.today": Rule(_NOW, "use workflow.now().date()"),
    "time.sleep": Rule(_BLOCKS, "use await workflow.sleep()"),
    # Randomness
    **_named("uuid", "uuid1 uuid4 uuid8", _NOW, "use workflow.uuid4()"),
    **_named("uuid", "uuid6 uuid7", _NOW, "use workflow.uuid7()"),
    **_named("os", "urandom getrandom", _NOW, "use workflow.random().randbytes()"),
    **_named("random", _RANDOM, _NOW, "use workflow.random().{}()"),
    **_named("random", "seed setstate", "changes random numbers of the whole process", "use workflow.random()"),
    "random.Random": Rule("without a seed " + _NOW, "use workflow.random()", harmless_from=1),
    "random.SystemRandom": Rule(_NOW, "use workflow.random()"),
    **_named("secrets", _SECRETS, _NOW, "use workflow.random(), or an activity if it must stay secret"),
    **_named("numpy.random", _NUMPY, _NOW, "use workflow.random()"),
    "numpy.random.default_rng": Rule("without a seed " + _NOW, "give it a seed", harmless_from=1),
    # Files
    **_named("builtins", "open", _FILES),
    **_named("io", "open open_code FileIO", _FILES),
    **_named("os", _OS_FILES, _FILES),
    **_named("os.path", "exists getatime getctime getmtime getsize isdir isfile islink lexists realpath", _FILES),
    **_named("pathlib.Path", _PATH, _FILES),
    **_named("shutil", _SHUTIL, _FILES),
    **_named("tempfile", _TEMPFILE, _FILES),
    **_named("glob", "glob iglob", _FILES),
    "sqlite3.connect": Rule("uses a database, which is not the same on each replay", _ACTIVITY),
    # Network
    **_named("socket", _SOCKET, _NETWORK),
    **_named("urllib.request", "urlopen urlretrieve", _NETWORK),
    **_named("http.client", "HTTPConnection HTTPSConnection", _NETWORK),
    **_named("requests", _REQUESTS, _NETWORK),
    **_named("httpx", _HTTPX, _NETWORK),
    **_named("aiohttp", "ClientSession request", _NETWORK),
    **_named("smtplib", "SMTP SMTP_SSL", _NETWORK),
    **_named("ftplib", "FTP FTP_TLS", _NETWORK),
    **_named("asyncio", "open_connection open_unix_connection start_server start_unix_server", _NETWORK),
    **_named("webbrowser", "open open_new open_new_tab", _NETWORK),
    # Processes and threads
    **_named("os", _OS_PROCESSES, _PROCESSES),
    **_named("os", "chdir putenv unsetenv", "changes the whole process"),
    **_named("subprocess", _SUBPROCESS, _PROCESSES),
    **_named("asyncio", "create_subprocess_exec create_subprocess_shell", _PROCESSES),
    **_named("multiprocessing", "Pool Process", _PROCESSES),
    "concurrent.futures.ProcessPoolExecutor": Rule(_PROCESSES, _ACTIVITY),
    **_named("threading", "Thread Timer", _THREADS, "use asyncio.create_task(), or an activity"),
    "threading.Thread.start": Rule(_THREADS, "use asyncio.create_task(), or an activity"),
    "concurrent.futures.ThreadPoolExecutor": Rule(_THREADS, "use asyncio.gather(), or activities"),
    "asyncio.to_thread": Rule(_THREADS, _ACTIVITY),
    **_named("asyncio", "run new_event_loop", _LOOPS, "await in the workflow, whose loop runs already"),
    # People
    "builtins.input": Rule(_BLOCKS, "wait for a signal or an update"),
}
