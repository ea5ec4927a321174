package opa

import (
	"path"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// regionDir holds the packages of regions, one directory each.
const regionDir = "jurisdiction"

// checkRegion lets the package of a region say what it denies and what it adds, and nothing else (sichuan-7): its rules
// stand in its own package, of which carrel.region reads denials and duties alone, and it brings no data, for data (a role,
// an action, a budget) could allow.
func checkRegion(name string, m *ast.Module) error {
	region, inside := strings.CutPrefix(path.Dir(name), regionDir+"/")
	if !inside {
		if m != nil && strings.HasPrefix(m.Package.Path.String()+".", "data."+bundleRoot+"."+regionDir+".") {
			return fault("loosens", nil, "区域规则须置于“jurisdiction”之下: "+name, "Rules of a region lie under jurisdiction: "+name)
		}
		return nil
	}
	if m == nil {
		return fault("loosens", nil, "区域规则包不得带数据: "+name, "The package of a region brings no data: "+name)
	}
	if m.Package.Path.String() != "data."+bundleRoot+"."+regionDir+"."+region {
		return fault("loosens", nil, "区域规则只能收紧, 不得写入其他规则包: "+name, "The package of a region only tightens; it writes into no other package: "+name)
	}
	return nil
}
