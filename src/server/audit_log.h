// The audit log: one line of JSON for each administrative command and each refusal, in a file that
// is only ever added to. It names who, from where, what and with which outcome; never arguments,
// values or secrets.
//
// It is bounded: a full file becomes `audit.log.1`, and what that held before is gone. Lines are
// written by a thread of their own, so that no command waits for the disk.
//
// Threading: the I/O thread, but for the writer, which shares what `mutex_` guards.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "base/result.h"

namespace server {

inline constexpr std::string_view kAuditLogName = "audit.log";

struct AuditEvent {
  std::string_view what;   // A command, or what happened to a token.
  std::string_view token;  // Its id; empty: nobody proved anything.
  std::string_view peer;   // Empty: the server itself.
  std::string_view names;  // Of queues or jobs, with spaces between them.
  std::string_view outcome;
  std::string_view job_namespace = {};  // Empty: the default one, or none.
};

class AuditLog {
 public:
  static constexpr uint64_t kFileBytesMax = uint64_t{16} << 20;

  // Keeps nothing until it is opened. `clock` must outlive it.
  explicit AuditLog(const base::Clock& clock) : clock_(clock) {}
  // Writes what is left.
  ~AuditLog();
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  base::Status open(const std::string& path, uint64_t file_bytes_max = kFileBytesMax);

  void note(const AuditEvent& event);
  // The same for a refusal, of which a client can cause any number: beyond a rate they are only
  // counted, so that they cannot push what was done out of the log. Returns whether it was noted.
  bool note_refusal(const AuditEvent& event);

 private:
  bool has_room_for_refusal();
  void put(std::string line);
  void run();
  base::Status open_file();
  void write(const std::string& lines);
  void rotate();

  const base::Clock& clock_;
  std::string path_;
  uint64_t file_bytes_max_ = kFileBytesMax;
  uint64_t refusals_dropped_ = 0;
  double refusals_left_ = 0;
  base::MonoTime refilled_;

  // The writer's own, once it runs.
  int file_ = -1;
  uint64_t bytes_ = 0;
  bool failing_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> lines_;  // Guarded by mutex_.
  uint64_t lines_dropped_ = 0;     // Guarded by mutex_.
  bool stops_ = false;             // Guarded by mutex_.
  std::thread writer_;
};

}  // namespace server
