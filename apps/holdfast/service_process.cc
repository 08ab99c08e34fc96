#include "apps/holdfast/service_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>

#include "io/descriptor.h"

namespace holdfast {

namespace {

// What the child does between fork and exec: only calls that are safe there.
[[noreturn]] void become(const char* program, char* const* words, int output, int messages, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);   // it died before we asked to be told
  ::dup2(output, STDOUT_FILENO);
  if (messages >= 0) ::dup2(messages, STDERR_FILENO);
  // Signals that the parent blocked or ignores are nothing the service should inherit.
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGINT, SIG_IGN);   // Ctrl-C on the terminal is the parent's to handle
  ::execv(program, words);
  ::_exit(127);
}

// The first line from `fd`, empty if none came in time.
std::string first_line(int fd, base::Duration patience) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::nanoseconds(patience.ns);
  std::string line;
  while (line.find('\n') == std::string::npos) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    pollfd readable{.fd = fd, .events = POLLIN, .revents = 0};
    if (left <= 0 || ::poll(&readable, 1, static_cast<int>(left)) <= 0) return {};
    char buffer[512];
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n <= 0) return {};
    line.append(buffer, static_cast<std::size_t>(n));
  }
  return line.substr(0, line.find('\n'));
}

}  // namespace

std::string own_program() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).string();
}

base::Result<std::unique_ptr<ServiceProcess>> ServiceProcess::start(const std::string& program, const std::string& directory,
                                                                    const std::string& messages_file, base::Duration patience) {
  return launch({program, "serve", "--dev", "--data", directory, "--listen", "127.0.0.1:0", "--operator-listen", "127.0.0.1:0"}, messages_file, patience);
}

base::Result<std::unique_ptr<ServiceProcess>> ServiceProcess::launch(std::vector<std::string> texts, const std::string& messages_file,
                                                                     base::Duration patience) {
  std::vector<char*> words;
  for (std::string& text : texts) words.push_back(text.data());
  words.push_back(nullptr);
  int pipe_ends[2];
  if (::pipe2(pipe_ends, O_CLOEXEC) != 0) return base::Error{"service_not_started", io::errno_text(errno)};
  io::Descriptor output(pipe_ends[0]);
  io::Descriptor output_of_child(pipe_ends[1]);
  io::Descriptor messages;
  if (!messages_file.empty()) {
    messages = io::Descriptor(::open(messages_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!messages.valid()) return base::Error{"service_not_started", messages_file + ": " + io::errno_text(errno)};
  }
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return base::Error{"service_not_started", io::errno_text(errno)};
  if (pid == 0) become(texts.front().c_str(), words.data(), output_of_child.get(), messages.valid() ? messages.get() : -1, parent);
  output_of_child.close();
  std::string line = first_line(output.get(), patience);
  std::unique_ptr<ServiceProcess> process(new ServiceProcess(pid, line));
  if (!line.starts_with("ready:")) {
    return base::Error{"service_not_started", "the service did not become ready" + (messages_file.empty() ? "" : ": see " + messages_file)};
  }
  return process;
}

ServiceProcess::~ServiceProcess() { kill_hard(); }

void ServiceProcess::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

void ServiceProcess::kill_hard() {
  signal(SIGKILL);
  wait();
}

int ServiceProcess::stop() {
  signal(SIGTERM);
  return wait();
}

int ServiceProcess::wait() {
  if (pid_ <= 0) return -1;
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace holdfast
