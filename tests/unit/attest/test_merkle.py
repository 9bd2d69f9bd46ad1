"""The Merkle tree: published test vectors, and proofs of every size against trees made by hand."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolsync.attest.merkle import (
    consistency_proof,
    inclusion_proof,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    root_of,
)
from toolsync.attest.tiles import read_entries, read_hashes, tiles
from toolsync.model.errors import Unverified

INPUTS = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Of Certificate Transparency's reference implementation, for 0 to 8 of the inputs."""
INCLUSION = {
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3): ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",),
    (1, 5): (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
CONSISTENCY = {
    (1, 1): (),
    (1, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}


def hexes(proof: list[bytes]) -> tuple[str, ...]:
    return tuple(item.hex() for item in proof)


def test_the_published_vectors() -> None:
    leaves = [leaf_hash(bytes.fromhex(text)) for text in INPUTS]
    assert [root_of(leaves[:size]).hex() for size in range(9)] == ROOTS
    for (index, size), wanted in INCLUSION.items():
        assert hexes(inclusion_proof(index, leaves[:size])) == wanted
    for (old, size), wanted in CONSISTENCY.items():
        assert hexes(consistency_proof(old, leaves[:size])) == wanted
    # RFC 9162, 2.1.5: in the tree of seven leaves, the proof of d3 is [c, g, l].
    seven = leaves[:7]
    c, g, l_ = seven[2], node_hash(seven[0], seven[1]), root_of(seven[4:])
    assert inclusion_proof(3, seven) == [c, g, l_]
    # … and from three leaves to seven it is [c, d, g, l].
    assert consistency_proof(3, seven) == [c, seven[3], g, l_]


@given(st.integers(1, 70), st.data())
def test_a_proof_leads_to_its_own_tree_and_to_no_other(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(size)]
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    root, proof = root_of(leaves), inclusion_proof(index, leaves)
    assert is_included(leaves[index], index, size, proof, root)
    other = hashlib.sha256(b"other").digest()
    assert not is_included(other, index, size, proof, root)
    assert not is_included(leaves[index], index, size, proof, other)
    assert not is_included(leaves[index], index, size, [*proof, other], root)
    assert not is_included(leaves[index], size, size, proof, root)
    if size > 1:
        assert not is_included(leaves[index], (index + 1) % size, size, proof, root)
        assert not is_included(leaves[index], index, size, proof[:-1], root)
    before, proof = root_of(leaves[:old]), consistency_proof(old, leaves)
    assert is_consistent(old, size, before, root, proof)
    assert not is_consistent(old, size, other, root, proof)
    assert not is_consistent(old, size, before, root, [*proof, other])
    if 0 < old < size:
        assert not is_consistent(old, size, before, other, proof)
        assert not is_consistent(old, size, before, root, proof[:-1])
        spoiled = [*leaves[:old][:-1], other, *leaves[old:]]
        again = consistency_proof(old, spoiled)
        assert not is_consistent(old, size, before, root_of(spoiled), again)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 70_000])
def test_the_tiles_of_a_log_hold_all_of_it(size: int) -> None:
    entries = [b"entry %d" % number for number in range(size)]
    files = dict(tiles(entries))
    if size == 70_000:  # C2SP tlog-tiles counts the tiles of this very size
        count = {level: sum(n.startswith(f"tile/{level}/") for n in files) for level in range(3)}
        assert count == {0: 274, 1: 2, 2: 1}
        assert len(files["tile/0/273.p/112"]) == 112 * 32
        assert len(files["tile/1/001.p/17"]) == 17 * 32
        assert files["tile/2/000.p/1"] == root_of(
            [files["tile/1/000"][n : n + 32] for n in range(0, 8192, 32)]
        )

    def get(name: str, limit: int) -> bytes:
        assert len(files[name]) <= limit
        return files[name]

    assert read_entries(get, size) == entries
    assert read_hashes(get, size) == [leaf_hash(entry) for entry in entries]
    if size:
        name = next(iter(files))
        files[name] = files[name][:-1]
        with pytest.raises(Unverified, match="does not hold"):
            read_entries(get, size)
