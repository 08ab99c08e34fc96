// holdfast fault-proxy: a bad network between two that talk over TCP.

#include <signal.h>

#include "apps/holdfast/commands.h"
#include "apps/holdfast/fault_proxy.h"
#include "io/clock.h"
#include "io/process.h"

namespace holdfast {

namespace {

constexpr std::uint64_t schedule_bytes_max = 1u << 20;

base::Status serve(const Arguments& arguments) {
  io::ignore_broken_pipes();
  const auto to_text = arguments.value("--to");
  if (!to_text) return base::Error{"options_contradict", "this needs --to ADDR:PORT"};
  TRY_ASSIGN(const io::Endpoint to, io::parse_endpoint(*to_text));
  TRY_ASSIGN(const io::Endpoint at, io::parse_endpoint(arguments.value_or("--listen", "127.0.0.1:0")));
  TRY_ASSIGN(const io::Endpoint control_at, io::parse_endpoint(arguments.value_or("--control", "127.0.0.1:0")));
  if (!control_at.is_loopback()) return base::Error{"options_contradict", "--control is for loopback addresses"};
  NetworkSchedule schedule;
  if (const auto file = arguments.value("--schedule")) {
    TRY_ASSIGN(const base::Bytes text, read_input(std::string(*file), schedule_bytes_max));
    TRY_ASSIGN(schedule, parse_network_schedule(text));
  }
  TRY_ASSIGN(const auto clock, io::RealClock::open());
  TRY_ASSIGN(const auto loop, io::Loop::open());
  TRY_ASSIGN(const auto signals, io::SignalWatch::open(*loop, {SIGTERM, SIGINT}, [&loop](int) { loop->stop(); }));
  TRY_ASSIGN(const auto proxy, FaultProxy::open(*loop, at, to, std::move(schedule)));
  FaultProxyControl control(*proxy);
  TRY_ASSIGN(const auto control_server, edge::Server::open(*loop, *clock, control_at, nullptr, control));
  print("ready: proxy " + proxy->endpoint().text() + " to " + to.text() + ", control http://" + control_server->endpoint().text());
  loop->run();
  return base::ok();
}

int run_fault_proxy(const Arguments& arguments) {
  const base::Status done = serve(arguments);
  return done.ok() ? exit_done : fail(done.error());
}

}  // namespace

Command fault_proxy_command() {
  return {.name = "fault-proxy",
          .summary = "a bad network between two that talk over TCP",
          .examples = "  holdfast fault-proxy --listen 127.0.0.1:9443 --to 127.0.0.1:8450 --schedule weather.json\n"
                      "  curl -X PUT --data '{\"faults\":[{\"black_hole\":true}]}' http://127.0.0.1:PORT/schedule\n",
          .verbs = {{.name = "",
                     .operands = "",
                     .summary = "passes connections on to --to, with the faults of the schedule",
                     .options = {{"--to", "ADDR:PORT", "numeric address of whoever is behind it"},
                                 {"--listen", "ADDR:PORT", "default a free port on 127.0.0.1"},
                                 {"--schedule", "FILE", "faults and their times: docs/rail-protocol.md; or - for standard input"},
                                 {"--control", "ADDR:PORT", "where it is steered: loopback; default a free port"}},
                     .run = run_fault_proxy}},
          .notes = "It sees bytes, not messages: TLS passes through untouched. GET and PUT /schedule, GET /stats, POST /cut and POST /reset on its\n"
                   "control address.\n"};
}

}  // namespace holdfast
