// Which jobs have been handed out, by their numbers; over several runs if a file keeps it.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace load {

// A server that hands a job out twice, or one that nobody pushed, is not measured.
class Deliveries {
 public:
  // Jobs carry numbers below `numbers`.
  explicit Deliveries(uint64_t numbers);

  // Notes that the job was handed out. Throws std::runtime_error when it had been before, or when
  // nobody pushed it.
  void note(uint64_t number);

  // Returns how many have been, earlier runs included.
  uint64_t count() const { return count_; }

  // Adds what an earlier run saved; a file that is not there adds nothing. Throws
  // std::runtime_error when the file speaks of numbers that are none here.
  void load(const std::string& path);
  // Throws std::runtime_error when the file can't be written.
  void save(const std::string& path) const;

 private:
  uint64_t numbers_;
  uint64_t count_ = 0;
  std::vector<uint64_t> words_;  // A bit for each number.
};

}  // namespace load
