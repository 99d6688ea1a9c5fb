#include "repair/examine.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <utility>

#include "store/effect_codec.h"
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
  for (const std::string& name : listing.unfinished) {
    reports.push_back({name, "unfinished; the next start removes it", true});
  }
  return reports;
}

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
  found.state = std::make_unique<core::State>();
  core::State& state = *found.state;
  state.begin_recovery(false);
  const auto replay = [&](core::Effect&& effect, base::Now now) {
    found.now = now;
    return state.enact(std::move(effect), now);
  };
  const auto frame = [&](uint64_t /*seq*/, std::span<const std::byte> payload) -> base::Status {
    return store::decode_effects({reinterpret_cast<const char*>(payload.data()), payload.size()},
                                 replay);
  };
  const auto journal = store::check_journal(data, frame);
  base::Status status;
  if (journal.has_value()) {
    found.last_seq = journal->last_seq;
    found.torn_bytes = journal->torn_bytes;
    status = base::with_context(state.end_recovery(), directory);
  } else {
    status = tl::unexpected(journal.error());
  }
  state.expire_memory(found.now.engine);
  if (status.has_value()) return found;
  if (status.error().code != ErrorCode::kCorrupt) return tl::unexpected(status.error());
  found.damage = status.error();
  return found;
}

}  // namespace repair
