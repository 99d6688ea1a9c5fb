// How args and results of a type of your own become bytes.
#pragma once
#include <concepts>
#include <exception>
#include <string>
#include <string_view>

#include "dray/errors.h"

namespace dray {

// Specialise it for a type, so that Worker::on<T>() and Client::push() take it:
//
//   template <>
//   struct dray::Codec<EmailArgs> {
//     static std::string encode(const EmailArgs& args);    // JSON by convention.
//     static EmailArgs decode(std::string_view text);      // Throws when the text is none.
//   };
//
// <dray/nlohmann_json.h> does it for every type that nlohmann's library can read and write.
// Threading: called by whatever thread pushes or runs a handler, also by several at once.
template <typename T>
struct Codec;

// Bytes as they are.
template <>
struct Codec<std::string> {
  static std::string encode(const std::string& text) { return text; }
  static std::string decode(std::string_view text) { return std::string(text); }
};

template <typename T>
concept Encodable = requires(const T& value) {
  { Codec<T>::encode(value) } -> std::convertible_to<std::string>;
};

template <typename T>
concept Decodable = requires(std::string_view text) {
  { Codec<T>::decode(text) } -> std::convertible_to<T>;
};

// Reads a job's args. Throws BadArgs, which makes the job dead at once: no later run reads them.
template <Decodable T>
T decode_args(std::string_view text) {
  try {
    return Codec<T>::decode(text);
  } catch (const std::exception& error) {
    throw BadArgs(std::string("the args cannot be read: ") + error.what());
  }
}

}  // namespace dray
