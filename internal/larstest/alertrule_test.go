package larstest_test

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// alertRule is one rule of docs/alerts.yml. Of Prometheus's language these
// tests know what is needed here: SELECTOR OP NUMBER, rate(SELECTOR[TIME]) OP
// NUMBER and METRIC / METRIC OP NUMBER.
type alertRule struct {
	Alert       string
	Expr        string
	For         string
	Labels      map[string]string
	Annotations map[string]string

	over    string         // "", "rate" or "/"
	name    *regexp.Regexp // of the metric
	label   string         // and a label that it must have, with a value
	value   string
	divisor string
	op      string
	bound   float64
}

// samples are the values of one scrape, by name and labels as in the text.
type samples map[string]float64

func readAlerts(t *testing.T) map[string]*alertRule {
	t.Helper()
	content, err := os.ReadFile("../../docs/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string
			Rules []*alertRule
		}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	// Fields of ours are no fields of the file.
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	rules := make(map[string]*alertRule)
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if rules[r.Alert] != nil || r.Alert == "" || g.Name == "" {
				t.Errorf("rule %q is there twice, or it or its group has no name", r.Alert)
			}
			if err := r.parse(); err != nil {
				t.Errorf("%s: %v", r.Alert, err)
			}
			rules[r.Alert] = r
		}
	}
	return rules
}

var (
	comparison = regexp.MustCompile(`^(.*) (>|<|==) ([0-9.]+)$`)
	selector   = regexp.MustCompile(`^(\w*)(?:\{(\w+)(=~?)"([^"]*)"\})?$`)
	severities = regexp.MustCompile(`^(warning|critical)$`)
)

func (r *alertRule) parse() error {
	if r.For != "" {
		if _, err := time.ParseDuration(r.For); err != nil {
			return err
		}
	}
	if !severities.MatchString(r.Labels["severity"]) || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
		return fmt.Errorf("wants a severity, a summary and a description")
	}
	m := comparison.FindStringSubmatch(r.Expr)
	if m == nil {
		return fmt.Errorf("no comparison in %q", r.Expr)
	}
	left := m[1]
	r.op = m[2]
	bound, err := strconv.ParseFloat(m[3], 64)
	if err != nil {
		return err
	}
	r.bound = bound
	if inner, ok := strings.CutPrefix(left, "rate("); ok {
		if left, ok = strings.CutSuffix(inner, "[5m])"); !ok {
			return fmt.Errorf("no [5m] in %q", r.Expr)
		}
		r.over = "rate"
	} else if above, below, ok := strings.Cut(left, " / "); ok {
		r.over, left, r.divisor = "/", above, below
	}
	s := selector.FindStringSubmatch(left)
	switch {
	case s == nil:
		return fmt.Errorf("cannot read %q", left)
	case s[2] == "__name__" && s[3] == "=~" && s[1] == "":
		r.name, err = regexp.Compile("^(?:" + s[4] + ")$")
	case s[3] != "=~":
		r.name, r.label, r.value = regexp.MustCompile("^"+s[1]+"$"), s[2], s[4]
	default:
		return fmt.Errorf("cannot read %q", left)
	}
	return err
}

// holds reports whether the condition holds at a target, whose last scrape is
// now; before is an earlier one.
func (r *alertRule) holds(before, now samples) bool {
	for key, v := range now {
		name, labels, _ := strings.Cut(key, "{")
		if !r.name.MatchString(name) || r.label != "" && !strings.Contains(labels, fmt.Sprintf("%s=%q", r.label, r.value)) {
			continue
		}
		switch r.over {
		case "rate":
			was, ok := before[key]
			if !ok || v < was {
				continue // not there then, or restarted
			}
			v -= was
		case "/":
			v /= now[r.divisor]
		}
		if r.op == ">" && v > r.bound || r.op == "<" && v < r.bound || r.op == "==" && v == r.bound {
			return true
		}
	}
	return false
}

// names reports whether the rule is about a metric that is there.
func (r *alertRule) names(s samples) bool {
	for key := range s {
		name, _, _ := strings.Cut(key, "{")
		if r.name.MatchString(name) {
			_, ok := s[r.divisor]
			return r.divisor == "" || ok
		}
	}
	return false
}

// readSamples reads what a daemon answers to /metrics.
func readSamples(text string) (samples, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	s := make(samples)
	for name, family := range families {
		for _, m := range family.Metric {
			var labels []string
			for _, l := range m.Label {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			key := name
			if len(labels) > 0 {
				key += "{" + strings.Join(labels, ",") + "}"
			}
			switch family.GetType().String() {
			case "COUNTER":
				s[key] = m.GetCounter().GetValue()
			case "GAUGE":
				s[key] = m.GetGauge().GetValue()
			case "UNTYPED":
				s[key] = m.GetUntyped().GetValue()
			}
		}
	}
	return s, nil
}

func TestAlertRules(t *testing.T) {
	for expr, c := range map[string]struct {
		before, now string
		holds       bool
	}{
		"a > 1":                 {"", "a 2", true},
		"a > 2":                 {"", "a 2", false},
		"a == 0":                {"", "a{l=\"x\"} 0", true},
		"a < 1":                 {"", "b 0", false},
		"rate(a[5m]) > 0":       {"a 1", "a 2", true},
		"rate(a[5m]) > 1":       {"a 1", "a 2", false},
		"rate(a[5m]) == 0":      {"", "a 0", false},
		"rate(a[5m]) > 2":       {"a 9", "a 5", false},
		`a{k="x"} > 1`:          {"", "a{k=\"y\"} 2\na{k=\"x\"} 1", false},
		`a{k="y"} > 1`:          {"", "a{j=\"x\",k=\"y\"} 2\na{k=\"x\"} 1", true},
		"a / b > 0.5":           {"", "a 2\nb 3", true},
		"a / b > 0.7":           {"", "a 2\nb 3", false},
		`{__name__=~"a|b"} > 1`: {"", "ab 2\nb 2", true},
		`{__name__=~"a"} > 1`:   {"", "ab 2", false},
	} {
		r := alertRule{Expr: expr, Labels: map[string]string{"severity": "warning"}, Annotations: map[string]string{"summary": "s", "description": "d"}}
		if err := r.parse(); err != nil {
			t.Errorf("%s: %v", expr, err)
			continue
		}
		read := func(text string) samples {
			s, err := readSamples(text + "\n")
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		if got := r.holds(read(c.before), read(c.now)); got != c.holds {
			t.Errorf("%s with %q, then %q: %v", expr, c.before, c.now, got)
		}
	}
}
