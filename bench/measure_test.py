#!/usr/bin/env python3
"""How scripts/bench counts and scripts/profile sorts: `ctest -R measuring`. It measures nothing."""
import contextlib, io, pathlib, sys, tempfile, unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from measure import layers, processes, report, split, tools  # noqa: E402: the path comes first

LOGGIA, LIBC, SQLITE, KERNEL = "/build/loggia", "/usr/lib/libc.so.6", "/usr/lib/x86_64-linux-gnu/libsqlite3.so.0.8.6", "[kernel.kallsyms]"
WRITER = [("loggia::sqlite::Writer::run_group", LOGGIA), ("loggia::sqlite::Writer::run", LOGGIA), ("start_thread", LIBC)]
CHAT = ("std::_Function_handler<bool (loggia::Transaction&), loggia::Database::write<loggia::chat::MessagesHere::on(loggia::chat::Send)::{lambda()#1}>"
        "(std::function<bool ()>)::{lambda(loggia::Transaction&)#1}>::_M_invoke", LOGGIA)
TEXT = """chat-writer 18896    2004008 cpu-clock:ppp:
\tffffffff820b8640 tcp_ack ([kernel.kallsyms])
\tffffffff820b8641 tcp_sendmsg ([kernel.kallsyms])
\tffffffff81b41375 do_syscall_64 ([kernel.kallsyms])
\t          109c3b __send (/usr/lib/x86_64-linux-gnu/libc.so.6)
\t          497603 loggia::http::Core::drain_all (/work/main/build/release/loggia)

shard-0 18897    1002004 cpu-clock:ppp:
\t           9a1c3 malloc (/usr/lib/x86_64-linux-gnu/libc.so.6)
\t          3902c4 nlohmann::json_abi_v3_11_2::detail::parser<nlohmann::basic_json<std::map, std::vector>, char const*>::parse (/b/loggia)
\t          3902c4 loggia::realtime::Session::take(std::basic_string_view<char, std::char_traits<char> >) (/work/main/build/release/loggia)
"""


class Sorting(unittest.TestCase):
    def sorts(self, frames, layer, part):
        self.assertEqual((layers.layer_of(frames), layers.part_of(frames)), (layer, part))

    def test_a_library_between_two_of_ours(self):
        self.sorts([("sqlite3_step", SQLITE), ("loggia::sqlite::Connection::change", LOGGIA), CHAT, *WRITER], "SQLite", "chat")
        self.sorts([("sqlite3_step", SQLITE), *WRITER], "SQLite", "store (around SQLite)")

    def test_what_is_called_by_everybody_belongs_to_the_caller(self):
        self.sorts([("__memmove_avx_unaligned_erms", LIBC), ("std::string::append", LOGGIA), ("loggia::realtime::Hub::fan", LOGGIA)], "realtime fan-out", "realtime fan-out")

    def test_memory_is_a_layer_of_its_own(self):
        for name in ("malloc", "_int_free", "cfree@GLIBC_2.2.5", "operator new", "unlink_chunk.isra.0"):
            self.sorts([(name, LIBC), ("sqlite3_step", SQLITE), CHAT, *WRITER], "malloc", "chat")

    def test_the_kernel_by_the_call_that_led_there(self):
        self.sorts([("tcp_recvmsg_locked", KERNEL), ("net_rx_action", KERNEL), ("tcp_sendmsg", KERNEL), ("__x64_sys_sendto", KERNEL), ("send", LIBC),
                    ("loggia::http::Core::drain_all", LOGGIA)], "kernel: send", "WebSocket and HTTP")
        self.sorts([("submit_bio", KERNEL), ("ext4_sync_file", KERNEL), ("__x64_sys_fdatasync", KERNEL), ("fdatasync", LIBC), ("sqlite3_step", SQLITE), *WRITER],
                   "kernel: fdatasync", "store (around SQLite)")
        self.sorts([("ep_poll", KERNEL), ("do_epoll_wait", KERNEL), ("epoll_wait", LIBC), ("boost::asio::detail::epoll_reactor::run", LOGGIA)], "kernel: epoll",
                   "loops and threads")

    def test_template_arguments_do_not_name_a_function(self):
        self.assertEqual(layers.front("void boost::asio::detail::executor_function::complete<boost::asio::detail::binder0<loggia::chat::X>, int>(a*, bool)"),
                         "boost::asio::detail::executor_function::complete")
        self.assertEqual(layers.front("loggia::(anonymous namespace)::ThreadShards::run() const"), "loggia::(anonymous namespace)::ThreadShards::run")

    def test_the_text_of_perf(self):
        found = layers.Layers(TEXT.splitlines(keepends=True))
        self.assertEqual(found.count, 2)
        self.assertEqual(dict(found.layers), {"kernel: send": 2004008, "malloc": 1002004})
        self.assertEqual({part: weight for part, weight in found.by_part()}, {"WebSocket and HTTP": 2004008, "realtime fan-out": 1002004})
        self.assertEqual(dict(found.threads), {"chat-writer": 2004008, "shard": 1002004})


class Counting(unittest.TestCase):
    def test_ratios_are_of_runs_of_the_same_minute(self):
        ours, floor = [{"cpu": 2}, {"cpu": 40}, {"cpu": 6}], [{"cpu": 1}, {"cpu": 20}, {"cpu": 2}]
        self.assertEqual(report.ratio(ours, floor, "cpu"), 2)   # the medians' would be 3

    def test_an_aim_is_met_or_not(self):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            report.Report().aims(("a", 2.3, "at most", 2.2), ("b", 2.2, "at most", 2.2), ("c", 1.9, "at least", 2), ("d", 15000, "at least", 15000))
        self.assertEqual([line.rstrip(" |").rsplit("| ", 1)[1] for line in said.getvalue().splitlines()[3:]], ["**no**", "yes", "**no**", "yes"])

    def test_a_missing_generator_says_why(self):
        program, why = tools.loadgen("/nowhere/loadgen")
        self.assertIsNone(program)
        self.assertEqual(why, "/nowhere/loadgen is not there")


PARENTS = {10: 1, 11: 10, 12: 10, 13: 11, 20: 1, 21: 20}   # of the processes of a made-up machine


class Split(unittest.TestCase):
    def machine(self):
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        proc = pathlib.Path(home.name)
        for pid, parent in PARENTS.items():
            (proc / str(pid)).mkdir()
            (proc / str(pid) / "stat").write_text(f"{pid} (a name) of) S {parent} {pid} 0")
            (proc / str(pid) / "smaps_rollup").write_text(f"55-7f ---p 00000000 00:00 0 [rollup]\nRss:      {pid * 1024} kB\nPss:      2048 kB\nPss_Dirty:      1024 kB\n")
        (proc / "self").mkdir()
        (proc / "99").mkdir()   # it has ended
        return proc

    def test_a_process_and_all_that_it_started(self):
        self.assertEqual(sorted(processes.family(10, self.machine())), [10, 11, 12, 13])
        self.assertEqual(processes.family(13, self.machine()), [13])

    def test_memory_is_added_up_and_who_has_ended_has_none(self):
        self.assertEqual(processes.memory([10, 12, 99], self.machine()), {"rss": 22, "pss": 4})

    def test_cpu_a_send_is_of_all_and_the_loads_are_the_same(self):
        class Generator:
            def acks(self, server, members, window, size, seconds):
                return {"p50_ms": 1, "p99_ms": 2, "acks_s": 1000 * members, "server_cores": 0.5}

            def fan(self, server, rooms, members, senders, window, size, seconds):
                return {"deliveries_s": 5, "cpu": 3}

        class Server:
            took = 0.25

            def pids(self):
                return [10, 11]
        self.addCleanup(setattr, split, "IDLE", split.IDLE)
        split.IDLE = 0
        row = split.measure(Server(), Generator(), 1)
        self.assertEqual((row["cpu_alone"], row["cpu_send"], row["cpu_delivery"], row["acks_s"], row["ready_s"], row["processes"]), (500, 31.25, 3, 16000, 0.25, 2))

    def verdicts(self, rss, ready):
        row = dict.fromkeys(("ready_s", "rss", "pss", "p50_ms", "p99_ms", "cpu_alone", "acks_s", "cpu_send", "deliveries_s", "cpu_delivery"), 2) | {"processes": 7}
        with contextlib.redirect_stdout(io.StringIO()) as said:
            split.table(report.Report(), [row], [row | {"rss": rss, "ready_s": ready, "acks_s": 1}])
        lines = said.getvalue().splitlines()
        self.assertIn("0.50 |", next(line for line in lines if line.startswith("| acknowledged sends a second")))
        return [line.rstrip(" |").rsplit("| ", 1)[1] for line in lines[-2:]]

    def test_size_and_start_are_met_or_not(self):
        self.assertEqual(self.verdicts(149, 2.9), ["yes", "yes"])
        self.assertEqual(self.verdicts(151, 3.1), ["**no**", "**no**"])


unittest.main()
