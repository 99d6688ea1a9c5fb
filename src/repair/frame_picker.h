// Chooses the frames of a damaged journal that count, oldest first, and says which are missing.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "repair/salvage.h"
#include "store/file_journal/data_directory.h"
#include "store/file_journal/segment_scan.h"

namespace repair {

class FramePicker {
 public:
  // `directory` and `account` must outlive this. Frames up to `applied_seq` are in the tables.
  FramePicker(const store::DataDirectory& directory, Account& account, uint64_t applied_seq)
      : directory_(directory), account_(account), applied_seq_(applied_seq) {}

  // `gap`: frames are missing before the next one. `frame`: the payload of the next one.
  struct Visitor {
    std::function<void()> gap;
    std::function<base::Status(std::span<const std::byte>)> frame;
  };
  base::Status pick(const Visitor& visitor);

 private:
  struct Found {
    uint64_t index = 0;
    store::SegmentScan scan;
    uint64_t ends_before = 0;  // Frames from this seq on count where they stand later.
  };

  void find_beginning(const Visitor& visitor);
  base::Status scan_all();
  void read_watermark();
  void bound_segments();
  base::Status pick_from(const Found& found, const Visitor& visitor);
  void lose_up_to(uint64_t seq, const Visitor& visitor);

  const store::DataDirectory& directory_;
  Account& account_;
  const uint64_t applied_seq_;
  std::vector<Found> segments_;
  uint64_t first_index_ = 1;
  uint64_t last_index_ = 0;
  uint64_t durable_seq_ = 0;
  uint64_t last_seq_ = 0;  // Picked, or known to be lost.
};

}  // namespace repair
