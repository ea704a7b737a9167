#include "discovery/own.hpp"
#include <doctest/doctest.h>

using loggia::discovery::own_addresses;
using loggia::discovery::reachable;

TEST_CASE("a listener on all addresses is announced under one that others can reach") {
  CHECK(reachable("0.0.0.0:7000", {"fd00::2", "10.1.2.3", "10.9.9.9"}) == "10.1.2.3:7000");
  CHECK(reachable("[::]:7000", {"fd00::2", "10.1.2.3"}) == "10.1.2.3:7000");
  CHECK(reachable("[::]:7000", {"fd00::2"}) == "[fd00::2]:7000");
  CHECK(reachable("0.0.0.0:7000", {"fd00::2"}) == "127.0.0.1:7000");
  CHECK(reachable("0.0.0.0:7000", {}) == "127.0.0.1:7000");
}

TEST_CASE("a listener on one address is announced as it is") {
  for (const char* one : {"10.0.0.1:7000", "127.0.0.1:7000", "[fd00::9]:7000", "[::1]:7000", "10.0.0.0:7000", ""})
    CHECK(reachable(one, {"10.1.2.3"}) == one);
}

TEST_CASE("no loopback and no link-local address is one of the own") {
  for (const auto& one : own_addresses()) {
    CAPTURE(one);
    CHECK(one != "127.0.0.1");
    CHECK(one != "::1");
    CHECK(!one.starts_with("fe80:"));
  }
}
