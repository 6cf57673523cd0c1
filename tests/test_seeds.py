import hashlib

from noisystudent.seeds import derive_seed


def test_a_seed_is_63_bits_of_a_hash_of_what_it_is_for() -> None:
    digest = hashlib.blake2b(b"3\x1fgen-1\x1fnoise\x1f17", digest_size=8).digest()
    assert derive_seed(3, "gen-1", "noise", 17) == int.from_bytes(digest, "big") // 2


def test_seeds_are_the_same_on_every_machine_and_in_every_version() -> None:
    assert derive_seed(0, "gen-0") == 2778861412330167106
    assert derive_seed(1, "select", 2) == 1283307897318548180


def test_no_two_purposes_share_a_seed() -> None:
    purposes = [(), ("a",), ("b",), ("a", "b"), ("ab",), ("a", 1), ("a", 11), ("a", 1, 1), (1, "a")]
    seeds = [derive_seed(run, *purpose) for run in range(20) for purpose in purposes]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_steps_use_the_whole_range() -> None:
    seeds = [derive_seed(0, "noise", step) for step in range(2000)]
    assert len(set(seeds)) == 2000
    top_bits = [seed >> 60 for seed in seeds]
    for value in range(8):
        assert 180 < top_bits.count(value) < 320  # 250 +- 4 standard deviations
