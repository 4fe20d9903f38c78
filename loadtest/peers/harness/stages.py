"""Which stage of a hit's way a stack sample belongs to.

A sample taken in the kernel goes by the system call and protocol in the kernel's part of its stack,
which is always whole. One taken in user code goes by the innermost function that a stage knows, so
that a copy or a checksum counts for whoever asked for it. libuv and libc keep no frame pointers: a
stack that ends in them, with no function of Hydrant's, is the event loop's own work.
"""
import re

ROUTER, WORKER, SUPERVISOR = "router", "worker", "supervisor"
UNEXPLAINED = "unexplained"


class Stage:
    """A line of the table. `kernel` and `user` match the beginning of function names (Swift's
    demangled), `file` the path of a library that works for this stage alone."""

    def __init__(self, process, name, kernel=None, user=None, file=None):
        self.process, self.name = process, name
        self.kernel = re.compile(rf"(?:{kernel})") if kernel else None
        # A specialised or closure's name says first what it is of.
        self.user = re.compile(rf"(?:.*\b(?:of|in|specialized|static) )?(?:{user})") if user else None
        self.file = re.compile(file) if file else None



WAIT = "wait, wake, dispatch (epoll, libuv, task switches)"
CALLS = "entry and exit of read and write, before the socket is known"
INTERRUPTS = "interrupts"
LOOP = r"TurnEnd|Loop\.|hydrant_stream_did_read|epoll_p?wait"
EPOLL = r"do_epoll|ep_|__\w+_sys_epoll"

STAGES = (
    Stage(ROUTER, WAIT, EPOLL, LOOP),
    Stage(ROUTER, "read requests", r"tcp_recvmsg|inet6?_recvmsg", r"hydrant_provide_read_buffer"),
    Stage(
        ROUTER, "parse and route", None,
        r"parseRequestHead|RequestHead\b|pathAndQuery|cookieValue|cbytes_find|ShardKey|jumpHash"
        r"|Routing\.(?:received|mayEndHead|parse|parseKept|take|isPixel|isPixelPath|matches|workerIndex|visitorCookie)\b"),
    Stage(
        ROUTER, "write the hit into its frame", None,
        r"Routing\.submit\b|HitLayout|HitIdGenerator|FrameWindow\.(?:reserve|openFrame|commitHit)\b"),
    Stage(
        ROUTER, "send frames", r"unix_stream_sendmsg",
        r"Routing\.(?:send|sendSealed|endTurn|turnEnded|sendOpenFrames)\b|FrameWindow\.(?:seal|unsent|didSend)\b"),
    Stage(
        ROUTER, "read acks, find their clients", r"unix_stream_recvmsg|unix_stream_read_generic",
        r"Routing\.(?:readAcks|settle|carry|completeCarried|fillCarried|answer|toFlush)\b"
        r"|FrameWindow\.(?:acknowledge|claim)\b|PendingAnswers\.answer\b"),
    Stage(
        ROUTER, "write answers", r"tcp_sendmsg|inet6?_sendmsg",
        r"Routing\.(?:flushAnswers|flush|append|nextAnswer|endIfIdle|counter|write|wrote|moveOn)\b|PendingAnswers|AnswerTable|Stream\.writeCopying"),
    Stage(
        ROUTER, "connections and timers", r"do_accept|__sys_accept|__x64_sys_(?:accept|close|setsockopt|getpeername)",
        r"Routing\.|ConnectionSlab|Listener|CounterPage|Timer\."),
    Stage(ROUTER, CALLS), Stage(ROUTER, INTERRUPTS),

    Stage(WORKER, WAIT, EPOLL, LOOP),
    Stage(
        WORKER, "read frames", r"unix_stream_recvmsg|unix_stream_read_generic",
        r"Working\.(?:readFrames|take)\b|ShardIntake\.take\b|FrameHeader\.(?:read|init)|hydrant_provide_read_buffer"),
    Stage(
        WORKER, "validate, write the row", None,
        r"ShardIntake\.encode\b|RowEncoder|RowBatch|RowPlan|RowText|RowTime|ParameterTable|HitView|cbytes_form"),
    Stage(
        WORKER, "append to the spool", None,
        r"ShardIntake\.store\b|SpoolLane\.(?:append|write|takeBackTail|openSegment|createSegment|createFile|didAppend|didOpen|seal|makeRoom)\b"
        r"|SpoolRecordHeader\.write|SegmentHead|OriginTable"),
    Stage(WORKER, "ack", r"unix_stream_sendmsg", r"Working\.(?:sendAck|send|sendSettled)\b|ShardIntake\.(?:writeAck|refuse)\b|AckQueue|Stream\.writeCopying"),
    Stage(
        WORKER, "deliver: read the spool, check", None,
        r"SegmentReader|SpoolLane\.(?:readNext|rewind|openForReading|noteDamage)\b|SpoolRecordHeader\.|DeliverySource"),
    Stage(WORKER, "deliver: SHA-256", None, r"PutRecordBatchBody\.hashWritten\b|Sha256|EVP_", r"libcrypto"),
    Stage(WORKER, "deliver: base64 into the batch", None, r"PutRecordBatchBody|BatchBuilder|BatchLedger|base64"),
    Stage(WORKER, "deliver: send", r"tcp_sendmsg|inet6?_sendmsg", r"FirehoseConnection\.(?:send|sendMore|call|didWrite)\b|Stream\.write\b"),
    Stage(
        WORKER, "deliver: answer, cursor, free segments", r"tcp_recvmsg|inet6?_recvmsg",
        r"SpoolLane\.(?:commit|writeCursor|syncCursor|freePassedSegments|findOldest)\b|SpoolCursor|HTTPResponseReader"
        r"|FirehoseReply|PutRecordBatchAnswer|JSONScanner|FirehoseConnection\.|LaneDelivery\.(?:callHasFinished|delivered|count)\b"),
    Stage(
        WORKER, "deliver: decide, sign", None,
        r"LaneDelivery|DeliveryMachine|FirehoseRequest|Signer|SigningKey|Authorization|CanonicalRequest|CivilTime|Idle\."),
    Stage(WORKER, "counters and timers", None, r"Working\.|CounterPage|Timer\.|FirehoseConnection"),
    Stage(WORKER, CALLS), Stage(WORKER, INTERRUPTS),

    Stage(SUPERVISOR, "watch"),
)
BY_NAME = {(stage.process, stage.name): stage for stage in STAGES}

# The kernel's part of a stack, where no stage's protocol is in it.
SWITCHED = re.compile(r"(?:irqentry_|syscall_)?exit_to_user_mode|do_notify_resume|__rseq_")
INTERRUPTED = re.compile(r"asm_(?:sysvec_|common_interrupt)|el0t?_(?:64_)?irq|el0_interrupt")
# Calls whose caller could not be read from the user's part.
FILE_CALLS = (
    (re.compile(r"__\w+_sys_pwrite64"), "append to the spool"),
    (re.compile(r"__\w+_sys_pread64"), "deliver: read the spool, check"),
    (re.compile(r"__\w+_sys_(?:unlink|fdatasync|fsync|fallocate)"), "deliver: answer, cursor, free segments"),
)
SOCKET_CALLS = re.compile(r"ksys_(?:read|write)|__\w+_sys_(?:read|write)|x64_sys_call|do_syscall_64|entry_SYSCALL|invoke_syscall|el0_svc")
LOOP_FILES = re.compile(r"/(?:libuv|libc)[.-]|\[vdso\]")
SOCKET_STUBS = re.compile(r"(?:__GI_)?(?:__libc_)?(?:read|write)$|uv_try_write")


class Classifier:
    """Stages of samples; `readable` turns mangled names into readable ones."""

    def __init__(self, readable):
        self.readable = readable
        self.of_user, self.of_kernel = {}, {}

    def stage(self, process, kernel, user):
        """The stage's name. Frames are (function, file), innermost first."""
        if process == SUPERVISOR:
            return "watch"
        if not kernel:
            return self._by_user(process, user) or self._by_library(user) or UNEXPLAINED
        names = [name for name, _ in kernel]
        by_protocol = self._by_kernel(process, names)
        if by_protocol:
            return by_protocol
        if any(map(SWITCHED.match, names)):
            return WAIT
        if INTERRUPTED.match(names[-1]):
            return INTERRUPTS
        return self._by_user(process, user) or self._by_call(process, names, user) or UNEXPLAINED

    def _by_kernel(self, process, names):
        for name in names:
            key = process, name
            if key not in self.of_kernel:
                self.of_kernel[key] = next(
                    (stage.name for stage in STAGES
                     if stage.process == process and stage.kernel and stage.kernel.match(name)), None)
            # Waking a reader from below a send enters epoll's code: the caller says what it is for.
            if self.of_kernel[key] not in (None, WAIT):
                return self.of_kernel[key]
        return WAIT if any(self.of_kernel[process, name] for name in names) else None

    def _by_user(self, process, frames):
        for frame in frames:
            key = process, frame
            if key not in self.of_user:
                self.of_user[key] = self._stage_of_function(process, *frame)
            if self.of_user[key]:
                return self.of_user[key]
        return None

    def _stage_of_function(self, process, function, file):
        name = self.readable.get(function, function).removeprefix("@objc ")
        for stage in STAGES:
            if stage.process == process and (
                    stage.user and stage.user.match(name) or stage.file and stage.file.search(file)):
                return stage.name
        return None

    @staticmethod
    def _by_call(process, names, user):
        if process == WORKER:
            for call, stage in FILE_CALLS:
                if any(map(call.match, names)):
                    return stage
        in_stub = user and SOCKET_STUBS.match(user[0][0])
        return CALLS if in_stub or any(map(SOCKET_CALLS.match, names)) else None

    @staticmethod
    def _by_library(user):
        if user and SOCKET_STUBS.match(user[0][0]):
            return CALLS
        return WAIT if any(LOOP_FILES.search(file) for _, file in user) else None
