// The outside judge: checks an exported log with golang.org/x/mod alone, sharing no code with what made it.
//
//	judge DIR         exit 0 if the log in DIR holds, 1 if not (the reason on stderr)
//	judge OLD NEW     also that NEW continues OLD
package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// files serves the tiles of one directory in the layout of C2SP tlog-tiles.
type files struct{ dir string }

func (f files) Height() int                                { return height }
func (f files) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

func (f files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := os.ReadFile(filepath.Join(f.dir, path(tile)))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// path is the name of a tile: x/mod's own paths carry the height, tlog-tiles' do not, and call data tiles "entries".
func path(tile tlog.Tile) string {
	parts := strings.SplitN(tile.Path(), "/", 4)
	if parts[2] == "data" {
		parts[2] = "entries"
	}
	return filepath.Join("tile", parts[2], parts[3])
}

// open reads the checkpoint: the signature must be by the key beside it.
func open(dir string) (tlog.Tree, error) {
	var tree tlog.Tree
	key, err := os.ReadFile(filepath.Join(dir, "log.vkey"))
	if err != nil {
		return tree, err
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(key)))
	if err != nil {
		return tree, err
	}
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return tree, err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" {
		return tree, errors.New("the checkpoint is out of form")
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tree, errors.New("the root is out of form")
	}
	copy(tree.Hash[:], root)
	return tree, nil
}

// entries reads the bundle of one level-0 tile.
func entries(dir string, tile tlog.Tile) ([][]byte, error) {
	tile.L = -1
	data, err := os.ReadFile(filepath.Join(dir, path(tile)))
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data) < 2+int(data[0])<<8+int(data[1]) {
			return nil, fmt.Errorf("%s is cut off", path(tile))
		}
		end := 2 + int(data[0])<<8 + int(data[1])
		all, data = append(all, data[2:end]), data[end:]
	}
	if len(all) != tile.W {
		return nil, fmt.Errorf("%s has %d entries", path(tile), len(all))
	}
	return all, nil
}

// tiles lists the tiles of a tree of n leaves.
func tiles(n int64) []tlog.Tile {
	var all []tlog.Tile
	for level := 0; n > 0; level, n = level+1, n>>height {
		for start := int64(0); start < n; start += 1 << height {
			width := n - start
			if width > 1<<height {
				width = 1 << height
			}
			all = append(all, tlog.Tile{H: height, L: level, N: start >> height, W: int(width)})
		}
	}
	return all
}

// judge checks every entry of the log against its signed root, and record proofs of the outermost leaves of each tile.
func judge(dir string) (tlog.Tree, error) {
	tree, err := open(dir)
	if err != nil {
		return tree, err
	}
	read := tlog.TileHashReader(tree, files{dir})
	for _, tile := range tiles(tree.N) {
		data, err := os.ReadFile(filepath.Join(dir, path(tile)))
		if err != nil {
			return tree, err
		}
		if tile.L > 0 { // reading its hashes through TileHashReader proves the tile against the root
			for n := int64(0); n < int64(tile.W); n++ {
				index := tlog.StoredHashIndex(tile.L*height, tile.N<<height+n)
				hashes, err := read.ReadHashes([]int64{index})
				if err != nil {
					return tree, err
				}
				if !bytes.Equal(hashes[0][:], data[n*tlog.HashSize:(n+1)*tlog.HashSize]) {
					return tree, fmt.Errorf("%s: hash %d is wrong", path(tile), n)
				}
			}
			continue
		}
		bundle, err := entries(dir, tile)
		if err != nil {
			return tree, err
		}
		for n, entry := range bundle {
			index := tile.N<<height + int64(n)
			leaf := tlog.RecordHash(entry)
			if len(data) != tile.W*tlog.HashSize || !bytes.Equal(leaf[:], data[n*tlog.HashSize:(n+1)*tlog.HashSize]) {
				return tree, fmt.Errorf("entry %d is not in %s", index, path(tile))
			}
			if n != 0 && n != tile.W-1 {
				continue
			}
			proof, err := tlog.ProveRecord(tree.N, index, read)
			if err != nil {
				return tree, err
			}
			if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf); err != nil {
				return tree, fmt.Errorf("entry %d: %w", index, err)
			}
		}
	}
	return tree, nil
}

func run(dirs []string) error {
	var trees []tlog.Tree
	for _, dir := range dirs {
		tree, err := judge(dir)
		if err != nil {
			return err
		}
		trees = append(trees, tree)
	}
	if len(trees) == 2 {
		old, new := trees[0], trees[1]
		proof, err := tlog.ProveTree(new.N, old.N, tlog.TileHashReader(new, files{dirs[1]}))
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(proof, new.N, new.Hash, old.N, old.Hash); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	if len(os.Args) < 2 || len(os.Args) > 3 {
		fmt.Fprintln(os.Stderr, "usage: judge DIR [NEW]")
		os.Exit(2)
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
