#include "bench/load/deliveries.h"

#include <bit>
#include <fstream>
#include <stdexcept>

namespace load {
namespace {

constexpr uint64_t kBits = 64;

}  // namespace

Deliveries::Deliveries(uint64_t numbers)
    : numbers_(numbers), words_((numbers + kBits - 1) / kBits) {}

void Deliveries::note(uint64_t number) {
  if (number >= numbers_) throw std::runtime_error("a job that nobody pushed");
  uint64_t& word = words_[number / kBits];
  const uint64_t bit = uint64_t{1} << (number % kBits);
  if ((word & bit) != 0) throw std::runtime_error("a job was handed out twice");
  word |= bit;
  ++count_;
}

void Deliveries::load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return;
  uint64_t word = 0;
  for (size_t place = 0; file.read(reinterpret_cast<char*>(&word), sizeof word); ++place) {
    const uint64_t begin = place * kBits;
    const uint64_t known = begin >= numbers_           ? 0
                           : numbers_ - begin >= kBits ? ~uint64_t{0}
                                                       : (uint64_t{1} << (numbers_ - begin)) - 1;
    if ((word & ~known) != 0) throw std::runtime_error(path + " is of a run with more jobs");
    if (word == 0) continue;
    count_ += static_cast<uint64_t>(std::popcount(word & ~words_[place]));
    words_[place] |= word;
  }
}

void Deliveries::save(const std::string& path) const {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(words_.data()),
             static_cast<std::streamsize>(words_.size() * sizeof words_.front()));
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace load
