package keyturn_test

import "go/ast"

// pairs reads the functions that give what is said together with its fix.
func (w words) pairs(f *ast.FuncDecl, add func(saying)) {
	var names []string
	if f.Type.Results != nil {
		for _, field := range f.Type.Results.List {
			for _, n := range field.Names {
				names = append(names, n.Name)
			}
		}
	}
	if f.Body == nil || len(names) != 2 || names[0] != "says" || names[1] != "fix" {
		return
	}
	ast.Inspect(f.Body, func(n ast.Node) bool {
		r, ok := n.(*ast.ReturnStmt)
		if !ok || len(r.Results) != 2 {
			return true
		}
		says, okSays := w.text(r.Results[0])
		fix, okFix := w.text(r.Results[1])
		if okSays && okFix {
			add(saying{says: says, fix: fix})
		}
		return true
	})
}
