#include "repair/examine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "engine/restore.h"
#include "repair/state_digest.h"
#include "repair/tables_view.h"
#include "store/file_journal/format.h"
#include "store/file_journal/recovery.h"
#include "store/file_journal/segment_scan.h"

namespace repair {
namespace {

using base::ErrorCode;
namespace format = store::format;

FileReport missing(std::string_view name) {
  return {std::string(name), "missing", false};
}

base::Result<FileReport> report_version(const store::DataDirectory& directory) {
  const auto checked = directory.check_version(TRY(directory.list()));
  if (checked.has_value()) return FileReport{std::string(format::kVersionName), "layout 1", true};
  if (checked.error().code != ErrorCode::kCorrupt) return tl::unexpected(checked.error());
  return FileReport{std::string(format::kVersionName), "not a version that is known", false};
}

// Both slots. One may be torn by a power cut, so it alone is no damage.
base::Result<FileReport> report_watermark(const store::DataDirectory& directory) {
  const std::string path = directory.path_of(format::kWatermarkName);
  const auto file = TRY(directory.files().open_to_read(path));
  std::string text;
  size_t sound = 0;
  for (uint64_t slot = 0; slot < 2; ++slot) {
    format::HeaderBlock block{};
    const size_t got = TRY(file->read_at(slot * format::kPageBytes, block));
    const auto mark = format::decode_watermark(block);
    const bool good = got == block.size() && mark.has_value() && mark->serial % 2 == slot;
    text += fmt::format("{}slot {}: ", slot == 0 ? "" : "; ", slot);
    if (!good) {
      text += "cannot be read";
      continue;
    }
    ++sound;
    text += fmt::format("durable up to frame {}, segments {} to {}{}", mark->durable_seq,
                        mark->first_index, mark->last_index, mark->clean ? ", closed" : "");
  }
  return FileReport{std::string(format::kWatermarkName), text, sound > 0};
}

base::Result<FileReport> report_segment(const store::DataDirectory& directory, uint64_t index) {
  const auto file = TRY(directory.files().open_to_read(directory.segment_path(index)));
  const store::SegmentScan scan = TRY(store::scan_segment(*file));
  FileReport report{format::numbered_name(format::kSegmentPrefix, index), {}, true};
  if (!scan.header) {
    report.text = fmt::format("{} bytes, no sound header; ", scan.file_bytes);
    report.is_sound = false;
  } else {
    report.text = fmt::format("{} bytes; ", scan.file_bytes);
  }
  if (scan.frames.empty()) {
    report.text += "no frame";
    return report;
  }
  uint64_t damaged = 0;
  for (const store::ScannedFrame& frame : scan.frames) damaged += frame.is_whole ? 0 : 1;
  report.text += fmt::format("frames {} to {}, {} of them whole", scan.frames.front().header.seq,
                             scan.frames.back().header.seq, scan.frames.size() - damaged);
  return report;
}

base::Result<FileReport> report_spare(const store::DataDirectory& directory, std::string name) {
  const auto file = TRY(directory.files().open_to_read(directory.path_of(name)));
  return FileReport{std::move(name), fmt::format("{} bytes; holds no data", TRY(file->size())),
                    true};
}

base::Result<std::optional<FileReport>> report_tables(const store::DataDirectory& directory,
                                                      std::string_view name) {
  const auto file = directory.files().open_to_read(directory.path_of(name));
  if (!file && file.error().code == ErrorCode::kNotFound) return std::optional<FileReport>();
  if (!file) return tl::unexpected(file.error());
  const uint64_t bytes = TRY((*file)->size());
  return std::optional(FileReport{std::string(name), fmt::format("{} bytes", bytes), true});
}

base::Result<std::vector<FileReport>> report_files(const store::DataDirectory& directory,
                                                   const store::DirectoryListing& listing) {
  std::vector<FileReport> reports;
  reports.push_back(listing.has_version ? TRY(report_version(directory))
                                        : missing(format::kVersionName));
  reports.push_back(listing.has_watermark ? TRY(report_watermark(directory))
                                          : missing(format::kWatermarkName));
  for (const uint64_t index : listing.segments) {
    reports.push_back(TRY(report_segment(directory, index)));
  }
  for (const uint64_t number : listing.spares) {
    reports.push_back(
        TRY(report_spare(directory, format::numbered_name(format::kSparePrefix, number))));
  }
  if (listing.has_ballast) {
    reports.push_back(TRY(report_spare(directory, std::string(format::kBallastName))));
  }
  for (const std::string_view name : {kTablesName, kTablesLogName}) {
    if (const auto found = TRY(report_tables(directory, name))) reports.push_back(*found);
  }
  for (const std::string& name : listing.unfinished) {
    reports.push_back({name, "unfinished; the next start removes it", true});
  }
  return reports;
}

// Does what a start does, and then looks at what a start leaves for later. An error that is CORRUPT
// is what would refuse the start.
class Examiner {
 public:
  Examiner(const store::DataDirectory& data, Examination& found)
      : data_(data), found_(found), view_(data.files(), data.path()) {}

  base::Status run() {
    const base::Status replayed = replay();
    found_.now = machine().recovered_now().value_or(base::Now{});
    machine().state().expire_memory(found_.now.engine);
    TRY(replayed);
    TRY(read_rows());
    return verify_tables();
  }

 private:
  engine::Machine& machine() { return *found_.machine; }

  // The tables come before the first frame, as at a start.
  base::Status open_tables() {
    if (reader_ != nullptr) return {};
    found_.tables = TRY(view_.open());
    reader_ = TRY(view_.make_reader());
    const uint64_t applied_seq = found_.tables.applied_seq;
    return machine().begin_recovery(applied_seq == 0 ? nullptr : reader_.get(), applied_seq);
  }

  base::Status replay() {
    const auto frame = [&](uint64_t seq, std::span<const std::byte> payload) -> base::Status {
      const bool is_first = reader_ == nullptr;
      TRY(open_tables());
      if (is_first) TRY(machine().begin_journal(seq));
      if (seq <= found_.tables.applied_seq) return {};
      return machine().replay({reinterpret_cast<const char*>(payload.data()), payload.size()});
    };
    const store::RecoveredJournal journal = TRY(store::check_journal(data_, frame));
    TRY(open_tables());
    const uint64_t first_seq = journal.segments.empty() ? 1 : journal.segments.front().first_seq;
    TRY(base::with_context(
        engine::tables_fit(found_.tables.applied_seq, first_seq, journal.last_seq), data_.path()));
    found_.last_seq = journal.last_seq;
    found_.torn_bytes = journal.torn_bytes;
    return base::with_context(machine().state().end_recovery(), data_.path());
  }

  // What a server would find when it needs the record of each job.
  base::Status read_rows() {
    machine().state().for_each_damage([&](core::JobId id, const base::Error& error) {
      found_.set_aside.push_back({id, error});
    });
    found_.digest =
        TRY(digest_of(found_.state(), reader_.get(), [&](core::JobId id, const base::Error& error) {
          found_.set_aside.push_back({id, error});
        }));
    std::ranges::sort(found_.set_aside, {}, &SetAside::id);
    return {};
  }

  // Rows that nobody needs any more count here too, and that none is missing or too old.
  base::Status verify_tables() {
    std::optional<core::JobId> next = core::JobId{};
    while (next) {
      const auto sliced = reader_->verify(*next, [&](const base::Error& error) {
        if (!is_of_set_aside(error)) found_.flaws.push_back(error.message);
      });
      if (!sliced && sliced.error().code == ErrorCode::kCorrupt) {
        found_.flaws.push_back(sliced.error().message);
        return {};
      }
      next = TRY(sliced);
    }
    return {};
  }

  bool is_of_set_aside(const base::Error& error) const {
    return std::ranges::any_of(
        found_.set_aside, [&](const SetAside& job) { return job.error.message == error.message; });
  }

  const store::DataDirectory& data_;
  Examination& found_;
  TablesView view_;
  std::unique_ptr<store::TablesReader> reader_;
};

}  // namespace

base::Result<std::unique_ptr<store::File>> hold(store::FileSystem& files,
                                                const std::string& directory) {
  const store::DataDirectory data(files, directory);
  const store::DirectoryListing listing = TRY(data.list());
  const bool used = !listing.is_new() || listing.has_version || !listing.spares.empty();
  if (!used) return base::fail(ErrorCode::kNotFound, "{}: not a data directory", directory);
  auto lock = files.lock_shared(data.path_of(format::kLockName));
  if (!lock.has_value() && lock.error().code == ErrorCode::kNotFound) {
    return std::unique_ptr<store::File>();  // A copy without it.
  }
  return lock;
}

base::Result<Examination> examine(store::FileSystem& files, const std::string& directory) {
  const store::DataDirectory data(files, directory);
  Examination found;
  found.files = TRY(report_files(data, TRY(data.list())));
  found.machine = std::make_unique<engine::Machine>(*found.random, core::limits::kHistoryBytesMax);
  const base::Status read = Examiner(data, found).run();
  if (read) return found;
  if (read.error().code != ErrorCode::kCorrupt) return tl::unexpected(read.error());
  found.damage = read.error();
  return found;
}

}  // namespace repair
