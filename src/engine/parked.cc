#include "engine/parked.h"

namespace engine {

void Parked::add(Request& request) {
  auto found = by_session_.find(request.session);
  if (found == by_session_.end()) {
    const auto place = sessions_.emplace(next_++, std::deque<Request*>{}).first;
    found = by_session_.emplace(request.session, place).first;
  }
  found->second->second.push_back(&request);
}

void Parked::add_wait(Request& request, std::vector<core::JobId> jobs) {
  waits_.push_back({&request, std::move(jobs)});
}

void Parked::forget(Sessions::iterator session) {
  std::erase_if(by_session_, [&](const auto& entry) { return entry.second == session; });
  sessions_.erase(session);
}

std::vector<Request*> Parked::remove_session(uint64_t session) {
  std::vector<Request*> requests;
  if (const auto found = by_session_.find(session); found != by_session_.end()) {
    requests.assign(found->second->second.begin(), found->second->second.end());
    sessions_.erase(found->second);
    by_session_.erase(found);
  }
  std::erase_if(waits_, [&](const Wait& wait) {
    if (wait.request->session != session) return false;
    requests.push_back(wait.request);
    return true;
  });
  return requests;
}

size_t Parked::size() const {
  size_t size = waits_.size();
  for (const auto& [number, requests] : sessions_) size += requests.size();
  return size;
}

}  // namespace engine
