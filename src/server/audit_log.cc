#include "server/audit_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "auth/job_namespace.h"
#include "base/log.h"

namespace server {

using base::ErrorCode;

namespace {

// Lines that wait for a slow disk; beyond it new ones are counted instead.
constexpr size_t kLinesMax = 10'000;
// Refusals that may come at once, and how many a second from then on.
constexpr double kRefusalsMax = 100;
constexpr double kRefusalsPerSecond = 1;

std::string line_of(base::WallTime now, std::string_view what,
                    std::span<const base::LogField> fields) {
  return fmt::format("{{\"ts\":\"{}\",{}}}\n", base::rfc3339(now),
                     base::log_text(base::LogFormat::kJson, what, fields));
}

}  // namespace

AuditLog::~AuditLog() {
  if (writer_.joinable()) {
    {
      const std::lock_guard lock(mutex_);
      stops_ = true;
    }
    changed_.notify_one();
    writer_.join();
  }
  if (file_ >= 0) ::close(file_);
}

base::Status AuditLog::open(const std::string& path, uint64_t file_bytes_max) {
  path_ = path;
  file_bytes_max_ = file_bytes_max;
  refusals_left_ = kRefusalsMax;
  refilled_ = clock_.mono();
  TRY(open_file());
  writer_ = std::thread([this] { run(); });
  return {};
}

base::Status AuditLog::open_file() {
  const int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
  const int file = ::open(path_.c_str(), flags, S_IRUSR | S_IWUSR);
  struct stat about = {};
  const bool fits = file >= 0 && ::fstat(file, &about) == 0 && S_ISREG(about.st_mode) &&
                    ::fchmod(file, S_IRUSR | S_IWUSR) == 0;
  if (!fits) {
    const int error = errno;
    if (file >= 0) ::close(file);
    return base::fail(ErrorCode::kUnavailable, "the audit log {} cannot be opened: {}", path_,
                      std::strerror(error));
  }
  file_ = file;
  bytes_ = static_cast<uint64_t>(about.st_size);
  return {};
}

void AuditLog::note(const AuditEvent& event) {
  if (!writer_.joinable()) return;
  const std::array fields = {
      base::LogField("token", event.token), base::LogField("peer", event.peer),
      base::LogField("names", event.names), base::LogField("outcome", event.outcome),
      base::LogField("namespace", event.job_namespace)};
  const bool is_elsewhere =
      !event.job_namespace.empty() && event.job_namespace != auth::kDefaultNamespace;
  put(line_of(clock_.wall(), event.what,
              std::span(fields).first(fields.size() - (is_elsewhere ? 0 : 1))));
}

bool AuditLog::note_refusal(const AuditEvent& event) {
  if (!writer_.joinable()) return true;
  if (!has_room_for_refusal()) {
    ++refusals_dropped_;
    return false;
  }
  if (const uint64_t dropped = std::exchange(refusals_dropped_, 0); dropped != 0) {
    const std::array fields = {base::LogField("refusals", dropped)};
    put(line_of(clock_.wall(), "too many refusals to list", fields));
  }
  note(event);
  return true;
}

bool AuditLog::has_room_for_refusal() {
  const base::MonoTime now = clock_.mono();
  const double seconds = std::chrono::duration<double>(now - refilled_).count();
  refilled_ = now;
  refusals_left_ = std::min(kRefusalsMax, refusals_left_ + seconds * kRefusalsPerSecond);
  if (refusals_left_ < 1) return false;
  refusals_left_ -= 1;
  return true;
}

void AuditLog::put(std::string line) {
  {
    const std::lock_guard lock(mutex_);
    if (lines_.size() >= kLinesMax) {
      ++lines_dropped_;
      return;
    }
    if (const uint64_t dropped = std::exchange(lines_dropped_, 0); dropped != 0) {
      const std::array fields = {base::LogField("lines", dropped)};
      lines_.push_back(line_of(clock_.wall(),
                               "lines were lost: the disk was too slow, full or failing", fields));
    }
    lines_.push_back(std::move(line));
  }
  changed_.notify_one();
}

// --- The writer.

void AuditLog::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stops_ || !lines_.empty(); });
    if (lines_.empty()) return;
    std::string lines;
    while (!lines_.empty() && bytes_ + lines.size() + lines_.front().size() <= file_bytes_max_) {
      lines += lines_.front();
      lines_.pop_front();
    }
    // A file that holds nothing takes any line.
    if (lines.empty() && bytes_ == 0) {
      lines = std::move(lines_.front());
      lines_.pop_front();
    }
    lock.unlock();
    lines.empty() ? rotate() : write(lines);
    lock.lock();
  }
}

void AuditLog::write(const std::string& lines) {
  if (file_ < 0) base::ignore(open_file(), "it is tried again with the next lines");
  std::string_view left = lines;
  while (!left.empty() && file_ >= 0) {
    const ssize_t size = ::write(file_, left.data(), left.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    left.remove_prefix(static_cast<size_t>(size));
    bytes_ += static_cast<uint64_t>(size);
  }
  if (!left.empty() && !failing_) {
    LOG(kError, "the audit log cannot be written", {"path", path_},
        {"error", std::strerror(errno)});
  }
  failing_ = !left.empty();
  if (!failing_) return;
  const std::lock_guard lock(mutex_);
  lines_dropped_ += static_cast<uint64_t>(std::ranges::count(left, '\n'));
}

void AuditLog::rotate() {
  const std::string older = path_ + ".1";
  if (::rename(path_.c_str(), older.c_str()) != 0) {
    LOG(kError, "the audit log cannot be put aside", {"path", path_},
        {"error", std::strerror(errno)});
  }
  ::close(std::exchange(file_, -1));
  if (const base::Status opened = open_file(); !opened) {
    LOG(kError, "the audit log cannot be opened", {"error", opened.error().message});
  }
  bytes_ = 0;  // Also of a file that could not be put aside: it is tried again a file's size later.
}

}  // namespace server
