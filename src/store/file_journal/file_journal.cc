#include "store/file_journal/file_journal.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/crc32c.h"
#include "base/log.h"

namespace store {
namespace {

using base::ErrorCode;

constexpr uint64_t kMiB = uint64_t{1} << 20U;
constexpr uint64_t kSegmentsPerVolume = 64;
constexpr uint64_t kReservesPerVolume = 20;
constexpr uint64_t kBallastsPerReserve = 4;
// With fewer, what is trimmed would never catch up with what is written.
constexpr uint64_t kSegmentsPerBudgetMin = 4;

uint64_t whole_pages(uint64_t bytes) {
  return bytes / format::kPageBytes * format::kPageBytes;
}

// An error on blocks that are already ours is never "no space": the caller must not go on.
base::Status final_error(base::Status status) {
  if (!status.has_value()) status.error().code = ErrorCode::kIo;
  return status;
}

// Reads a frame once more, to write it anew.
base::Result<std::vector<std::byte>> read_payload(File& file, const UnsureFrame& frame) {
  std::vector<std::byte> bytes(format::kHeaderBytes + frame.payload_bytes);
  bytes.resize(TRY(file.read_at(frame.offset, bytes)));
  const Place place{file.path(), frame.offset};
  if (bytes.size() < format::kHeaderBytes) return corrupt(place, "the frame is gone");
  const auto header = format::decode_frame_header(bytes);
  bytes.erase(bytes.begin(), bytes.begin() + format::kHeaderBytes);
  const bool same = header.has_value() && header->seq == frame.seq &&
                    header->payload_bytes == bytes.size() &&
                    header->payload_crc == base::crc32c(bytes);
  if (!same) return corrupt(place, "the frame reads differently the second time");
  return bytes;
}

}  // namespace

uint64_t segment_bytes_for(uint64_t volume_bytes) {
  return whole_pages(std::clamp(volume_bytes / kSegmentsPerVolume, kMiB, 64 * kMiB));
}

uint64_t reserve_bytes_for(uint64_t volume_bytes) {
  return std::clamp(volume_bytes / kReservesPerVolume, 8 * kMiB, 1024 * kMiB);
}

uint64_t ballast_bytes_for(uint64_t reserve_bytes) {
  return whole_pages(reserve_bytes / kBallastsPerReserve);
}

FileJournal::FileJournal(FileSystem& files, base::Random& random, FileJournalOptions options)
    : directory_(files, options.directory),
      random_(random),
      options_(std::move(options)),
      bytes_budget_(options_.budget_bytes) {
  ASSERT(!options_.directory.empty());
}

FileJournal::~FileJournal() = default;

base::Result<JournalRecovery> FileJournal::open(const FrameVisitor& visit) {
  ASSERT(lock_ == nullptr, "opened twice");
  FileSystem& files = directory_.files();
  TRY(files.make_directories(directory_.path()));
  const Volume volume = TRY(files.volume(directory_.path()));
  TRY(check_volume(volume));
  lock_ = TRY(files.lock(directory_.path_of(format::kLockName)));

  const DirectoryListing listing = TRY(open_directory());
  const RecoveredJournal found = TRY(recover_journal(directory_, listing, mark_->mark(), visit));
  TRY(open_pool(listing, volume.total_bytes));
  JournalRecovery recovery;
  recovery.last_seq = found.last_seq;
  recovery.first_seq = found.segments.empty() ? 1 : found.segments.front().first_seq;
  recovery.torn_bytes = found.torn_bytes;
  recovery.clean_shutdown = mark_->mark().clean && found.last_seq == mark_->mark().durable_seq &&
                            found.unsure.empty() && found.torn_bytes == 0;
  TRY(take_over(found));
  publish();
  LOG(kInfo, "journal opened", {"directory", directory_.path()}, {"first_seq", recovery.first_seq},
      {"last_seq", recovery.last_seq}, {"segments", held_.size()},
      {"torn_bytes", recovery.torn_bytes}, {"clean_shutdown", recovery.clean_shutdown});
  return recovery;
}

base::Status FileJournal::check_volume(const Volume& volume) const {
  if (volume.kind == VolumeKind::kLasting) return {};
  if (!options_.allow_volatile) {
    return base::fail(ErrorCode::kUnavailable,
                      "{}: this volume is {}; jobs would not be safe here. Use a directory on a "
                      "local disk, or say --allow-volatile",
                      directory_.path(), volume_name(volume.kind));
  }
  LOG(kWarning, "the data directory is on a volume that does not keep data safe",
      {"directory", directory_.path()}, {"volume", volume_name(volume.kind)});
  return {};
}

// Brings the directory to a state in which every name found is durable and known.
base::Result<DirectoryListing> FileJournal::open_directory() {
  const DirectoryListing listing = TRY(directory_.list());
  for (const std::string& name : listing.unfinished) {
    TRY(directory_.files().remove(directory_.path_of(name)));
  }
  TRY(directory_.check_version(listing));
  TRY(open_watermark(listing));
  // Also for the names that a run which was killed has changed and not synced: what is read below
  // must not go away again.
  TRY(directory_.sync());
  return listing;
}

base::Status FileJournal::open_watermark(const DirectoryListing& listing) {
  const bool used = !listing.segments.empty() || !listing.spares.empty() || listing.has_ballast;
  if (!listing.has_watermark && used) {
    return corrupt({directory_.path_of(format::kWatermarkName), 0}, "the file is missing");
  }
  mark_ = std::make_unique<WatermarkFile>(TRY(
      listing.has_watermark ? WatermarkFile::open(directory_) : WatermarkFile::create(directory_)));
  first_index_ = mark_->mark().first_index;
  return {};
}

base::Status FileJournal::open_pool(const DirectoryListing& listing, uint64_t volume_bytes) {
  SparePoolOptions options;
  options.segment_bytes =
      options_.segment_bytes == 0
          ? segment_bytes_for(volume_bytes)
          : std::max(whole_pages(options_.segment_bytes), format::kSegmentBytesMin);
  if (options_.budget_bytes < kSegmentsPerBudgetMin * options.segment_bytes) {
    return base::fail(ErrorCode::kBadReq,
                      "limit={} got={} a journal budget holds at least {} segments of {} bytes: "
                      "raise --journal-budget, or lower --journal-segment",
                      kSegmentsPerBudgetMin * options.segment_bytes, options_.budget_bytes,
                      kSegmentsPerBudgetMin, options.segment_bytes);
  }
  options.reserve_bytes = options_.reserve_bytes.value_or(reserve_bytes_for(volume_bytes));
  options.ballast_bytes = ballast_bytes_for(options.reserve_bytes);
  options.spare_count = options_.spare_count;
  pool_ = std::make_unique<SparePool>(directory_, options);
  TRY(pool_->adopt(listing));
  return finish_trim(listing);
}

// Removes what a trim had no time to remove. The watermark that allows it is written once more: the
// one that was read may have come out of the kernel's cache only.
base::Status FileJournal::finish_trim(const DirectoryListing& listing) {
  if (listing.segments.empty() || listing.segments.front() >= first_index_) return {};
  TRY(mark_->write(mark_->mark()));
  for (const uint64_t index : listing.segments) {
    if (index < first_index_) TRY(directory_.files().remove(directory_.segment_path(index)));
  }
  return {};
}

base::Status FileJournal::take_over(const RecoveredJournal& found) {
  held_.assign(found.segments.begin(), found.segments.end());
  last_seq_ = found.last_seq;
  last_crc_ = found.last_crc;
  read_end_offset_ = found.tail_offset;
  if (!found.unsure.empty()) return rewrite_unsure(found.unsure);
  // The first append must not pay for a segment.
  return pool_->prepare_first();
}

// Puts frames that may only have come out of the kernel's cache into a segment of their own. It is
// complete and synced before it gets its name: from then on, it counts instead of what was read.
base::Status FileJournal::rewrite_unsure(const std::vector<UnsureFrame>& frames) {
  ASSERT(!held_.empty() && held_.front().first_seq <= frames.front().seq);
  const std::string path = directory_.segment_path(held_.back().index);
  const std::unique_ptr<File> file = TRY(directory_.files().open_to_read(path));
  SegmentStart start{frames.front().seq, frames.front().previous_crc, 0};
  for (const UnsureFrame& frame : frames) {
    start.frames_bytes += format::frame_bytes(frame.payload_bytes);
  }
  NewSegment segment = TRY(begin_segment(start));
  for (const UnsureFrame& frame : frames) {
    const std::vector<std::byte> payload = TRY(read_payload(*file, frame));
    TRY(segment.writer->write_frame(payload, frames.front().seq - 1));
  }
  ASSERT(segment.writer->next_seq() == last_seq_ + 1, "seq {}", segment.writer->next_seq());
  held_.back().frames_bytes -= start.frames_bytes;
  read_end_offset_ = frames.front().offset;
  last_crc_ = segment.writer->last_crc();
  return finish_segment(std::move(segment));
}

base::Status FileJournal::append(uint64_t seq, std::span<const std::byte> payload) {
  ASSERT(lock_ != nullptr, "not open");
  ASSERT(stopped_.has_value() || seq == last_seq_ + 1, "seq {} after {}", seq, last_seq_);
  ASSERT(payload.size() <= format::kPayloadBytesMax, "{} bytes", payload.size());
  TRY(refusal());
  if (active_ == nullptr || !active_->fits(payload.size())) {
    base::Status rotated = rotate(payload.size());
    publish();
    if (!rotated.has_value() && rotated.error().code == ErrorCode::kDiskFull) return rotated;
    TRY(stop_for_good(std::move(rotated)));
  }
  TRY(stop_for_good(write_frame(payload)));
  // The frame of an idle moment proves the one before it, but a bad block takes both. The mark lies
  // in another file.
  if (payload.empty()) TRY(stop_for_good(write_mark(false)));
  publish();
  return {};
}

base::Status FileJournal::write_frame(std::span<const std::byte> payload) {
  base::Status written = active_->write_frame(payload, last_seq_);
  if (written.has_value()) written = active_->sync();
  if (!written.has_value()) {
    return final_error(
        base::with_context(std::move(written), directory_.segment_path(held_.back().index)));
  }
  last_seq_ += 1;
  last_crc_ = active_->last_crc();
  ASSERT(active_->next_seq() == last_seq_ + 1, "seq {}", last_seq_);
  held_.back().frames_bytes += format::frame_bytes(payload.size());
  return {};
}

// Errors: DISKFULL when no segment could be had, and nothing was changed; all others are final.
base::Status FileJournal::rotate(uint64_t payload_bytes) {
  NewSegment segment =
      TRY(begin_segment({last_seq_ + 1, last_crc_, format::frame_bytes(payload_bytes)}));
  return finish_segment(std::move(segment));
}

base::Result<FileJournal::NewSegment> FileJournal::begin_segment(const SegmentStart& start) {
  const uint64_t bytes =
      format::round_up(format::kFirstFrameOffset + start.frames_bytes, format::kPageBytes);
  NewSegment segment;
  segment.spare = TRY(pool_->find(bytes));
  format::SegmentHeader header;
  header.index = held_.empty() ? first_index_ : held_.back().index + 1;
  header.segment_bytes = segment.spare.bytes;
  header.first_seq = start.first_seq;
  header.durable_seq = last_seq_;
  header.previous_crc = start.previous_crc;
  while (header.salt == 0) header.salt = random_.next();
  auto file = directory_.files().open_to_write(segment.spare.path);
  if (!file.has_value()) return tl::unexpected(file.error());
  segment.writer = std::make_unique<SegmentWriter>(*std::move(file), header);
  TRY(final_error(segment.writer->write_header()));
  return segment;
}

// Makes a segment the newest one. First its content is synced, then its name: a segment that can be
// found is whole. Only then is anything acknowledged that stands in it.
base::Status FileJournal::finish_segment(NewSegment segment) {
  TRY(final_error(segment.writer->sync()));
  const format::SegmentHeader& header = segment.writer->header();
  base::Status named =
      directory_.files().rename(segment.spare.path, directory_.segment_path(header.index));
  if (!named.has_value()) {
    TRY(final_error(pool_->not_taken(segment.spare)));
    return named;
  }
  pool_->taken(segment.spare);
  TRY(final_error(directory_.sync()));

  const bool follows_read = active_ == nullptr && !held_.empty();
  held_.push_back(
      {header.index, header.first_seq, segment.writer->frames_bytes(), header.segment_bytes});
  active_ = std::move(segment.writer);
  TRY(final_error(write_mark(false)));
  if (follows_read) TRY(final_error(release_tail()));
  return pool_->replenish();
}

// Gives back the unused end of the newest segment that was read: nothing is ever written there.
base::Status FileJournal::release_tail() {
  ASSERT(held_.size() >= 2);
  HeldSegment& read = held_[held_.size() - 2];
  const uint64_t needed = format::round_up(read_end_offset_, format::kPageBytes);
  if (needed + read.file_bytes / 4 > read.file_bytes) return {};  // Better whole, for a spare.
  const std::unique_ptr<File> file =
      TRY(directory_.files().open_to_write(directory_.segment_path(read.index)));
  TRY(file->truncate(needed));
  read.file_bytes = needed;
  return {};
}

base::Status FileJournal::write_mark(bool clean) {
  format::Watermark mark;
  mark.durable_seq = last_seq_;
  mark.first_index = first_index_;
  mark.last_index = held_.empty() ? mark_->mark().last_index : held_.back().index;
  mark.clean = clean;
  return mark_->write(mark);
}

base::Status FileJournal::trim(uint64_t seq_needed) {
  ASSERT(seq_needed <= last_seq_ + 1, "seq {} of {}", seq_needed, last_seq_);
  TRY(refusal());
  size_t count = 0;
  while (count + 1 < held_.size() && held_[count + 1].first_seq <= seq_needed) count += 1;
  if (count == 0) return {};
  // The watermark first: from now on a start does not miss these files, whichever are still there.
  first_index_ = held_[count].index;
  TRY(stop_for_good(write_mark(false)));
  for (size_t i = 0; i < count; ++i) {
    const HeldSegment& trimmed = held_.front();
    TRY(stop_for_good(
        pool_->give_back({directory_.segment_path(trimmed.index), trimmed.file_bytes})));
    held_.pop_front();
  }
  // Before one of them is used again, its old name has to be gone for good.
  TRY(stop_for_good(directory_.sync()));
  TRY(stop_for_good(pool_->refresh()));
  publish();
  return {};
}

base::Status FileJournal::prepare() {
  TRY(refusal());
  base::Status prepared = stop_for_good(pool_->prepare());
  publish();
  return prepared;
}

base::Status FileJournal::close() {
  ASSERT(lock_ != nullptr, "not open");
  base::Status closed = refusal();
  if (closed.has_value()) closed = stop_for_good(write_mark(true));
  active_.reset();
  lock_.reset();
  return closed;
}

JournalSpace FileJournal::space() const {
  JournalSpace space;
  space.bytes_used = bytes_used_.load(std::memory_order_relaxed);
  space.bytes_budget = bytes_budget_.load(std::memory_order_relaxed);
  space.bytes_free = bytes_free_.load(std::memory_order_relaxed);
  space.bytes_kept = bytes_kept_.load(std::memory_order_relaxed);
  space.disk = level_.load(std::memory_order_relaxed);
  space.prepare_pending = prepare_pending_.load(std::memory_order_relaxed);
  return space;
}

base::Status FileJournal::stop_for_good(base::Status status) {
  if (!status.has_value() && !stopped_.has_value()) {
    status = final_error(std::move(status));
    stopped_ = status.error();
    LOG(kError, "the journal stops for good", {"directory", directory_.path()},
        {"error", stopped_->message});
  }
  return status;
}

base::Status FileJournal::refusal() const {
  if (!stopped_.has_value()) return {};
  return base::fail(stopped_->code, "the journal has stopped: {}", stopped_->message);
}

void FileJournal::publish() {
  uint64_t used = 0;
  uint64_t room = pool_->free_bytes();
  bytes_free_.store(room, std::memory_order_relaxed);
  for (const HeldSegment& segment : held_) {
    used += segment.frames_bytes;
    room += segment.file_bytes;
  }
  room = std::max(room, kSegmentsPerBudgetMin * pool_->segment_bytes());
  bytes_used_.store(used, std::memory_order_relaxed);
  bytes_budget_.store(std::min(options_.budget_bytes, room), std::memory_order_relaxed);
  bytes_kept_.store(pool_->kept_bytes(), std::memory_order_relaxed);
  level_.store(pool_->level(), std::memory_order_relaxed);
  prepare_pending_.store(pool_->prepare_pending(), std::memory_order_relaxed);
}

}  // namespace store
