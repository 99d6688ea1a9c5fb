// The only source of chance. Everything else is given a Random, so a test can repeat it.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace base {

// Threading: one owner; not shared between threads.
class Random {
 public:
  Random() = default;
  Random(const Random&) = delete;
  Random& operator=(const Random&) = delete;
  virtual ~Random() = default;

  // Returns 64 evenly distributed bits.
  virtual uint64_t next() = 0;
  // Fills all of `bytes`.
  virtual void fill(std::span<std::byte> bytes) = 0;

  // Returns a number in [0, bound), evenly distributed. Requires: bound >= 1.
  uint64_t below(uint64_t bound);
};

// The kernel's generator, for secrets: nobody can foretell it. Asked for a block at a time, because
// a system call per lease token costs more than the rest of the lease. A byte that was given out is
// erased from the block. Dies if the kernel has no randomness to give.
class SystemRandom final : public Random {
 public:
  SystemRandom() = default;
  ~SystemRandom() override;

  uint64_t next() override;
  void fill(std::span<std::byte> bytes) override;

 private:
  void refill();

  static constexpr size_t kBlockBytes = 4096;
  std::array<std::byte, kBlockBytes> block_{};
  size_t used_ = kBlockBytes;
};

// xoshiro256**: the same seed gives the same numbers on every machine. For tests and simulation;
// anyone can compute what comes next, so never for secrets.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed);

  uint64_t next() override;
  void fill(std::span<std::byte> bytes) override;

 private:
  std::array<uint64_t, 4> state_;
};

}  // namespace base
