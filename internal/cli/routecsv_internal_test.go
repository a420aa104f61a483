package cli

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// FuzzCSV reads anything; what is read is written and read again the same.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{
		"", "modid,cmdid,ip,port\n1,1,192.168.1.177,7777\n", "\ufeff-5, 1 ,\"10.0.0.1\",80\r\n#x\r\n",
		"1,1,1.1.1.1,1\n1,1,1.1.1.1,1\n", "\"", "a,b\nc", "1,1,01.1.1.1,+1\n",
		"modid,cmdid,ip,port,weight\n1,1,1.1.1.1,1,0\n1,1,1.1.1.1,1\n1,1,1.1.1.2,1,10000\n", "1,1,1.1.1.1,1,10001\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		entries, err := readCSV("FILE", strings.NewReader(s))
		if err != nil {
			if entries != nil || !strings.HasPrefix(err.Error(), "FILE:") {
				t.Errorf("%q: %d routes and %v", s, len(entries), err)
			}
			return
		}
		var out bytes.Buffer
		if err := writeCSV(&out, entries); err != nil {
			t.Fatal(err)
		}
		again, err := readCSV("FILE", &out)
		for i, e := range entries { // what is written has a weight
			entries[i].Weight = store.WeightOf(e.Weight.Or(route.DefaultWeight))
		}
		if err != nil || !slices.Equal(again, entries) {
			t.Errorf("%q is %v, and then %v, %v", s, entries, again, err)
		}
		for _, e := range entries {
			if w, _ := e.Weight.Value(); !e.Host.Valid() || w > route.MaxWeight {
				t.Errorf("%q has host %v with weight %d", s, e.Host, w)
			}
		}
	})
}
