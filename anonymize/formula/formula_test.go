package formula

import "testing"

func TestGuard(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "stroke": "stroke", "a=b": "a=b", "脑卒中": "脑卒中", "1-2": "1-2", " ": " ",
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", " =1": "' =1", "\ufeff=1": "'\ufeff=1", "\u00a0-1": "'\u00a0-1",
		"\tx": "'\tx", "\rx": "'\rx", "\n=1": "'\n=1", "＝1": "'＝1", "＠x": "'＠x",
	} {
		if got := Guard(in); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
}
