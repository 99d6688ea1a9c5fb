#include "repair/scratch_calls.h"

#include <algorithm>
#include <cerrno>

namespace repair {

int ScratchCalls::add(OpenFile file) {
  files_.emplace(next_, file);
  return next_++;
}

int ScratchCalls::open(const std::string& path, Open how) {
  Content& content = contents_[path];
  int real = -ENOENT;
  if (!content.is_removed) real = real_.open(path, Open::kRead);
  const bool is_made = content.size.has_value() && real == -ENOENT && !content.is_removed;
  if (how == Open::kCreateNew) {
    if (real >= 0) real_.close(real);
    if (real >= 0 || is_made) return -EEXIST;
    if (real != -ENOENT) return real;
    content.pages.clear();
    content.size = 0;
    content.real_end = 0;
    content.is_removed = false;
    return add({.content = &content});
  }
  if (real < 0 && !is_made) return real;
  return add({.real = std::max(real, -1), .content = &content});
}

int ScratchCalls::close(int file) {
  const auto found = files_.find(file);
  if (found == files_.end()) return -EBADF;
  const int real = found->second.real;
  files_.erase(found);
  return real < 0 ? 0 : real_.close(real);
}

int64_t ScratchCalls::size_of(const OpenFile& file) {
  if (file.content->size) return static_cast<int64_t>(*file.content->size);
  return file.real < 0 ? 0 : real_.size(file.real);
}

int64_t ScratchCalls::size(int file) {
  return size_of(files_.at(file));
}

// Fills all of `into`; what is not there reads as zeros.
int64_t ScratchCalls::read_real(const OpenFile& file, std::span<std::byte> into, uint64_t offset) {
  std::ranges::fill(into, std::byte{0});
  if (file.real < 0 || offset >= file.content->real_end) return 0;
  auto part = into.first(std::min<uint64_t>(into.size(), file.content->real_end - offset));
  while (!part.empty()) {
    const int64_t got = real_.read(file.real, part, offset);
    if (got == -EINTR) continue;
    if (got < 0) return got;
    if (got == 0) break;
    part = part.subspan(static_cast<size_t>(got));
    offset += static_cast<uint64_t>(got);
  }
  return 0;
}

int64_t ScratchCalls::read(int file, std::span<std::byte> into, uint64_t offset) {
  const OpenFile& open = files_.at(file);
  const int64_t end = size_of(open);
  if (end < 0) return end;
  if (offset >= static_cast<uint64_t>(end)) return 0;
  into = into.first(std::min<uint64_t>(into.size(), static_cast<uint64_t>(end) - offset));
  if (const int64_t answer = read_real(open, into, offset); answer < 0) return answer;
  const std::map<uint64_t, Page>& pages = open.content->pages;
  auto page = pages.lower_bound(offset / kPageBytes);
  for (; page != pages.end() && page->first * kPageBytes < offset + into.size(); ++page) {
    const uint64_t at = page->first * kPageBytes;
    const uint64_t begin = std::max(at, offset);
    const uint64_t stop = std::min(at + kPageBytes, offset + into.size());
    std::copy_n(page->second.begin() + static_cast<int64_t>(begin - at), stop - begin,
                into.begin() + static_cast<int64_t>(begin - offset));
  }
  return static_cast<int64_t>(into.size());
}

int64_t ScratchCalls::load(const OpenFile& file, uint64_t number, Page& page) {
  return read_real(file, page, number * kPageBytes);
}

int64_t ScratchCalls::write(int file, std::span<const std::byte> bytes, uint64_t offset) {
  const OpenFile& open = files_.at(file);
  const int64_t end = size_of(open);
  if (end < 0) return end;
  for (size_t done = 0; done < bytes.size();) {
    const uint64_t at = offset + done;
    const uint64_t number = at / kPageBytes;
    const size_t count = std::min<size_t>(bytes.size() - done, kPageBytes - at % kPageBytes);
    auto page = open.content->pages.find(number);
    if (page == open.content->pages.end()) {
      if (bytes_ + kPageBytes > bytes_max_) return -ENOSPC;
      page = open.content->pages.emplace(number, Page()).first;
      bytes_ += kPageBytes;
      if (const int64_t answer = load(open, number, page->second); answer < 0) return answer;
    }
    std::copy_n(bytes.begin() + static_cast<int64_t>(done), count,
                page->second.begin() + static_cast<int64_t>(at % kPageBytes));
    done += count;
  }
  open.content->size = std::max(static_cast<uint64_t>(end), offset + bytes.size());
  return static_cast<int64_t>(bytes.size());
}

int ScratchCalls::sync_data(int /*file*/) {
  return 0;
}

int ScratchCalls::allocate(int file, uint64_t size_bytes) {
  const OpenFile& open = files_.at(file);
  const int64_t end = size_of(open);
  if (end < 0) return static_cast<int>(end);
  open.content->size = std::max(static_cast<uint64_t>(end), size_bytes);
  return 0;
}

int ScratchCalls::truncate(int file, uint64_t size_bytes) {
  Content& content = *files_.at(file).content;
  content.size = size_bytes;
  content.real_end = std::min(content.real_end, size_bytes);
  const auto first = content.pages.lower_bound(size_bytes / kPageBytes);
  for (auto page = first; page != content.pages.end(); ++page) {
    const uint64_t at = page->first * kPageBytes;
    const uint64_t kept = size_bytes > at ? size_bytes - at : 0;
    std::fill(page->second.begin() + static_cast<int64_t>(kept), page->second.end(), std::byte{0});
  }
  return 0;
}

int ScratchCalls::rename(const std::string& /*from*/, const std::string& /*to*/) {
  return -EROFS;
}

int ScratchCalls::remove(const std::string& path) {
  Content& content = contents_[path];
  const int file = open(path, Open::kRead);
  if (file < 0) return file;
  close(file);
  bytes_ -= content.pages.size() * kPageBytes;
  content.pages.clear();
  content.size.reset();
  content.is_removed = true;
  return 0;
}

int ScratchCalls::make_directory(const std::string& /*path*/) {
  return -EROFS;
}

int ScratchCalls::sync_directory(const std::string& /*path*/) {
  return 0;
}

int ScratchCalls::list(const std::string& path, std::vector<std::string>& names) {
  return real_.list(path, names);
}

int ScratchCalls::volume(const std::string& path, store::VolumeFacts& facts) {
  return real_.volume(path, facts);
}

int ScratchCalls::lock(const std::string& path, int64_t& /*holder*/) {
  return add({.content = &contents_[path]});
}

int ScratchCalls::lock_shared(const std::string& path, int64_t& holder) {
  return lock(path, holder);
}

}  // namespace repair
