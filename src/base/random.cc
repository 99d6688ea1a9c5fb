#include "base/random.h"

#include <string.h>  // NOLINT(modernize-deprecated-headers): explicit_bzero is not in <cstring>.
#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "base/assert.h"

namespace base {
namespace {

// Fills all of `bytes` from the kernel; blocks only in the first moments after boot.
void read_kernel_random(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    // Without randomness every token could be guessed: there is nothing safe to do but stop.
    ASSERT(got > 0, "getrandom: errno {}", errno);
    bytes = bytes.subspan(static_cast<size_t>(got));
  }
}

// SplitMix64: spreads a seed of few bits over the whole state.
uint64_t split_mix(uint64_t& state) {
  state += 0x9e3779b97f4a7c15U;
  uint64_t z = state;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

}  // namespace

uint64_t Random::below(uint64_t bound) {
  ASSERT(bound >= 1);
  // Numbers under `unfair` are drawn again: without that, small results would come more often.
  const uint64_t unfair = (0 - bound) % bound;
  uint64_t drawn = next();
  while (drawn < unfair) drawn = next();
  return drawn % bound;
}

SystemRandom::~SystemRandom() {
  explicit_bzero(block_.data(), block_.size());
}

uint64_t SystemRandom::next() {
  uint64_t value = 0;
  fill(std::as_writable_bytes(std::span(&value, 1)));
  return value;
}

void SystemRandom::fill(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    if (used_ == block_.size()) refill();
    const size_t count = std::min(bytes.size(), block_.size() - used_);
    std::memcpy(bytes.data(), block_.data() + used_, count);
    explicit_bzero(block_.data() + used_, count);
    used_ += count;
    bytes = bytes.subspan(count);
  }
}

void SystemRandom::refill() {
  ASSERT(used_ == block_.size(), "{} bytes unused", block_.size() - used_);
  read_kernel_random(block_);
  used_ = 0;
}

SeededRandom::SeededRandom(uint64_t seed) {
  for (uint64_t& word : state_) word = split_mix(seed);
}

uint64_t SeededRandom::next() {
  auto& s = state_;
  const uint64_t result = std::rotl(s[1] * 5, 7) * 9;
  const uint64_t shifted = s[1] << 17U;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= shifted;
  s[3] = std::rotl(s[3], 45);
  return result;
}

void SeededRandom::fill(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const uint64_t value = next();
    const size_t count = std::min(bytes.size(), sizeof value);
    std::memcpy(bytes.data(), &value, count);
    bytes = bytes.subspan(count);
  }
}

}  // namespace base
