#include "cli/screen.h"

#include <fmt/format.h>
#include <poll.h>  // tidy: allow include because a keyboard and signals are waited for, no socket
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <string>

#include "cli/checked_stdout.h"

namespace cli {
namespace {

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGWINCH}) sigaddset(&set, signal);
  return set;
}

constexpr char kCtrlC = 3;

}  // namespace

Screen::Screen(Keys keys)
    : is_terminal_(isatty(STDOUT_FILENO) == 1),
      takes_keys_(keys == Keys::kTake && is_terminal_ && isatty(STDIN_FILENO) == 1 &&
                  tcgetattr(STDIN_FILENO, &before_) == 0) {
  const sigset_t set = watched_signals();
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (takes_keys_) {
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    // The other screen, so that what stood there comes back; no cursor.
    fmt::print("\x1b[?1049h\x1b[?25l");
  } else if (is_terminal_) {
    fmt::print("\x1b[2J");
  }
}

Screen::~Screen() {
  if (takes_keys_) {
    std::fputs("\x1b[?25h\x1b[?1049l", stdout);  // Throws nothing, even if the terminal is gone.
    std::fflush(stdout);
    tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  close(signals_);
  const sigset_t set = watched_signals();
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

Screen::Size Screen::size() const {
  winsize size{};
  if (!is_terminal_ || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return {};
  return {size.ws_col, size.ws_row};
}

void Screen::show(std::string_view frame) const {
  std::string out = is_terminal_ ? "\x1b[H" : "";
  const size_t lines_max = size().lines;
  size_t lines = 0;
  for (size_t begin = 0; begin < frame.size();) {
    const size_t end = std::min(frame.find('\n', begin), frame.size());
    out += frame.substr(begin, end - begin);
    begin = end + 1;
    ++lines;
    if (!is_terminal_) {
      out += '\n';
      continue;
    }
    out += "\x1b[K";  // What was longer before.
    if (lines == lines_max) break;
    out += "\r\n";
  }
  if (is_terminal_ && lines < lines_max) out += "\x1b[J";
  fmt::print("{}", out);
  flush_stdout();
}

Screen::Event Screen::wait(std::chrono::milliseconds time) const {
  std::array<pollfd, 2> entries{
      {{signals_, POLLIN, 0}, {takes_keys_ ? STDIN_FILENO : -1, POLLIN, 0}}};
  if (poll(entries.data(), entries.size(), static_cast<int>(time.count())) <= 0) {
    return Event::kTime;
  }
  signalfd_siginfo signal{};
  if (read(signals_, &signal, sizeof signal) == static_cast<ssize_t>(sizeof signal)) {
    return signal.ssi_signo == SIGWINCH ? Event::kResized : Event::kEnd;
  }
  char key = 0;
  const bool is_read = takes_keys_ && read(STDIN_FILENO, &key, 1) == 1;
  if (takes_keys_ && !is_read) return Event::kEnd;  // The terminal is gone.
  return key == 'q' || key == 'Q' || key == kCtrlC ? Event::kEnd : Event::kResized;
}

}  // namespace cli
