#pragma once
// Capacity that a crowd made a vector take, and that few need.
#include <cstddef>
#include <vector>

namespace loggia {

/// Gives the rest back where less than a quarter of much is needed, so that what comes and goes does not allocate each time.
template <class T> void give_back_capacity(std::vector<T>& vector, std::size_t needed) {
  constexpr std::size_t little = 1024;
  if (vector.capacity() > little && needed < vector.capacity() / 4) vector.shrink_to_fit();
}
template <class T> void give_back_capacity(std::vector<T>& vector) { give_back_capacity(vector, vector.size()); }

}  // namespace loggia
