#include "repair/copy_tables.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "repair/end_signals.h"
#include "repair/tables_view.h"

namespace repair {
namespace {

using base::ErrorCode;

constexpr std::string_view kLockName = "backup.lock";
// The server holds the lock while it brings a flush from the log into the file.
constexpr int kLockAttempts = 600;
constexpr std::chrono::milliseconds kLockPause{100};

// The log may begin anew once while it is copied, and once more when the lock was just taken.
constexpr int kLogAttempts = 5;

constexpr size_t kReadBytes = size_t{1} << 20;
constexpr size_t kLogHeaderBytes = 32;  // Its salts say which log it is.

base::Status remove_if_there(store::FileSystem& files, const std::string& path) {
  base::Status removed = files.remove(path);
  if (!removed && removed.error().code == ErrorCode::kNotFound) return {};
  return removed;
}

}  // namespace

base::Status TablesCopy::hold() {
  const std::string path = source_.path_of(kLockName);
  for (int attempt = 1;; ++attempt) {
    auto lock = source_.files().lock_shared(path);
    if (lock) {
      lock_ = *std::move(lock);
      return {};
    }
    if (lock.error().code == ErrorCode::kNotFound) {
      // No server made it yet: who does is who locks it alone.
      const auto made = source_.files().lock(path);
      if (!made && made.error().code != ErrorCode::kUnavailable)
        return tl::unexpected(made.error());
      continue;
    }
    if (lock.error().code != ErrorCode::kUnavailable || attempt == kLockAttempts) {
      return tl::unexpected(lock.error());
    }
    EndSignals::wait(kLockPause);
  }
}

// Returns how many bytes there were; none if there is no such file.
base::Result<uint64_t> TablesCopy::copy(std::string_view name) {
  store::FileSystem& files = target_.files();
  TRY(remove_if_there(files, target_.path_of(name)));
  const auto from = source_.files().open_to_read(source_.path_of(name));
  if (!from && from.error().code == ErrorCode::kNotFound) return uint64_t{0};
  if (!from) return tl::unexpected(from.error());
  const auto to = TRY(files.create(target_.path_of(name)));
  std::vector<std::byte> chunk(kReadBytes);
  uint64_t at = 0;
  while (true) {
    const size_t got = TRY((*from)->read_at(at, chunk));
    TRY(to->write_at(at, std::span(chunk).first(got)));
    at += got;
    if (got < chunk.size()) break;
  }
  TRY(to->sync_data());
  return at;
}

base::Status TablesCopy::copy_file(Source source) {
  if (source == Source::kLocked) TRY(hold());
  file_bytes_ = TRY(copy(kTablesName));
  return {};
}

// Returns what changes when the log begins anew.
base::Result<uint64_t> TablesCopy::header_mark() const {
  const auto log = source_.files().open_to_read(source_.path_of(kTablesLogName));
  if (!log && log.error().code == ErrorCode::kNotFound) return uint64_t{0};
  if (!log) return tl::unexpected(log.error());
  std::array<std::byte, kLogHeaderBytes> header{};
  TRY((*log)->read_at(0, header));
  uint64_t salts = 0;
  std::memcpy(&salts, header.data() + kLogHeaderBytes / 2, sizeof(salts));
  return salts;
}

base::Status TablesCopy::copy_log() {
  for (int attempt = 0; attempt < kLogAttempts; ++attempt) {
    const uint64_t before = TRY(header_mark());
    log_bytes_ = TRY(copy(kTablesLogName));
    if (TRY(header_mark()) == before) return {};
  }
  return base::fail(ErrorCode::kUnavailable, "{} begins anew again and again; try again",
                    source_.path_of(kTablesLogName));
}

base::Status TablesCopy::clear() {
  TRY(remove_if_there(target_.files(), target_.path_of(kTablesLogName)));
  return remove_if_there(target_.files(), target_.path_of(kTablesName));
}

}  // namespace repair
