// The args of a benchmark job: a JSON object of an exact size that carries one number.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace load {

// The smallest object that holds the mark and the padding's own syntax.
inline constexpr size_t kArgsBytesMin = 40;
// Width of the mark in hexadecimal digits, so that its place never moves.
inline constexpr size_t kMarkDigits = 16;
// Where the mark starts within the args.
inline constexpr size_t kMarkOffset = 6;

// Returns args of `bytes` bytes with a zero mark.
// Requires: bytes >= kArgsBytesMin.
std::string make_args(size_t bytes);

// Writes `mark` as kMarkDigits digits at `digits`.
void write_mark(uint64_t mark, char* digits);

// Returns the mark of args that were made here. Throws ProtocolError for other bytes, because a
// server that changes args must not pass for a fast one.
uint64_t read_mark(std::string_view args);

// Returns the mark of args that are `made`, which make_args returned, in every byte beside it.
// Throws ProtocolError for others.
uint64_t check_args(std::string_view args, std::string_view made);

}  // namespace load
