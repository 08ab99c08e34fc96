#pragma once
// A service, or another of our long-running commands, as a child process: for the guided tour and for tests that kill it.

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "base/instant.h"
#include "base/result.h"

namespace holdfast {

class ServiceProcess {
 public:
  /// Runs `program serve --dev --data DIRECTORY` on free ports and waits for its ready line. Its messages go to `messages_file`
  /// (appended; empty: to our standard error). Errors: `service_not_started` with what it said.
  static base::Result<std::unique_ptr<ServiceProcess>> start(const std::string& program, const std::string& directory,
                                                             const std::string& messages_file = {},
                                                             base::Duration patience = base::seconds(60));
  /// The same for any command that prints a ready line: `words` are the program and its arguments (`sandbox-rail ...`,
  /// `fault-proxy ...`).
  static base::Result<std::unique_ptr<ServiceProcess>> launch(std::vector<std::string> words, const std::string& messages_file = {},
                                                              base::Duration patience = base::seconds(60));
  /// Kills it if it still runs.
  ~ServiceProcess();
  ServiceProcess(const ServiceProcess&) = delete;
  ServiceProcess& operator=(const ServiceProcess&) = delete;

  /// SIGKILL, and waits until it is gone.
  void kill_hard();
  /// SIGTERM, and waits. Returns its exit code, -1 if a signal ended it.
  int stop();
  /// Waits until it ends by itself. As stop().
  int wait();
  void signal(int number) const;
  pid_t pid() const { return pid_; }
  /// What it printed when it was ready.
  const std::string& ready_line() const { return ready_line_; }

 private:
  ServiceProcess(pid_t pid, std::string ready_line) : pid_(pid), ready_line_(std::move(ready_line)) {}
  pid_t pid_;
  std::string ready_line_;
};

/// The program that runs now.
std::string own_program();

}  // namespace holdfast
