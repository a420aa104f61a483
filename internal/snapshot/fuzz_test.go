package snapshot

import (
	"bytes"
	"hash/crc32"
	"maps"
	"slices"
	"testing"

	"github.com/lars-lb/lars/internal/route"
)

// FuzzDecode reads anything, with a checksum that is right and as it is. What
// is taken for good is written again the same.
func FuzzDecode(f *testing.F) {
	for _, routes := range []map[route.Module][]route.Node{
		nil,
		{{ModID: 1, CmdID: -1}: {{IP: 1, Port: 2, Weight: 3}}},
		{{ModID: 1, CmdID: 1}: {{IP: 1, Port: 2}, {IP: 1<<32 - 1, Port: 65535, Weight: route.MaxWeight}}, {ModID: 2}: {{IP: 5, Port: 5}}},
	} {
		var b bytes.Buffer
		if err := encode(&b, Head{Owner: "lars-dns", Version: 7}, maps.All(routes)); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes(), false)
		f.Add(b.Bytes()[:b.Len()-sumSize], true)
	}
	f.Add([]byte(magic), false)
	f.Fuzz(func(t *testing.T, content []byte, sign bool) {
		if sign {
			sum := crc32.Checksum(content, castagnoli)
			content = append(bytes.Clone(content), byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24))
		}
		type module struct {
			m     route.Module
			nodes []route.Node
		}
		var all []module
		info, err := decode(bytes.NewReader(content), int64(len(content)), "lars-dns", func(m route.Module, nodes []route.Node) {
			all = append(all, module{m, slices.Clone(nodes)})
		})
		if err != nil {
			if len(all) > 0 {
				t.Fatalf("%d modules of a bad file are given: %v", len(all), err)
			}
			return
		}
		var again bytes.Buffer
		err = encode(&again, info.Head, func(yield func(route.Module, []route.Node) bool) {
			for _, x := range all {
				if !yield(x.m, x.nodes) {
					return
				}
			}
		})
		if err != nil || !bytes.Equal(again.Bytes(), content) {
			t.Fatalf("written again: %v\n%x\n%x", err, content, again.Bytes())
		}
	})
}
