import { expect, test } from "vitest";
import { completeAddress } from "../../../src/session/address";

test.each([
  ["gateway.example.com", "https://gateway.example.com"],
  [" localhost:3000/ ", "http://localhost:3000"],
  ["127.0.0.1:3000", "http://127.0.0.1:3000"],
  ["[::1]:3000", "http://[::1]:3000"],
  ["http://gateway/genba/", "http://gateway/genba"],
  ["", undefined],
  ["two words", undefined],
  ["ftp://gateway", undefined],
  ["https://", undefined],
])("%j is completed to %j", (typed, whole) => {
  expect(completeAddress(typed)).toBe(whole);
});
