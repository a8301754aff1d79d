package engine

import (
	"encoding/json"
	"reflect"
)

// rewording changes text: a string as it is, or one that stands in JSON.
type rewording interface {
	text(s string) string
	json(s string) string
}

// reword gives a value with every text in it changed, and the value itself where
// nothing is. What is changed is a copy, for others may hold the value. IDs have
// types of their own and stay, as does what nobody outside its package can see.
func reword[T any](value T, how rewording) T {
	if v, ok := reworded(reflect.ValueOf(&value).Elem(), how); ok {
		return v.Interface().(T)
	}
	return value
}

var (
	plainText = reflect.TypeFor[string]()
	rawJSON   = reflect.TypeFor[json.RawMessage]()
)

func reworded(v reflect.Value, how rewording) (reflect.Value, bool) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() != plainText {
			return v, false
		}
		s := how.text(v.String())
		return reflect.ValueOf(s), s != v.String()
	case reflect.Pointer:
		if v.IsNil() {
			return v, false
		}
		e, ok := reworded(v.Elem(), how)
		if !ok {
			return v, false
		}
		p := reflect.New(e.Type())
		p.Elem().Set(e)
		return p, true
	case reflect.Interface:
		if v.IsNil() {
			return v, false
		}
		return reworded(v.Elem(), how)
	case reflect.Struct:
		return fields(v, how)
	case reflect.Slice:
		return elements(v, how)
	case reflect.Map:
		return entries(v, how)
	}
	return v, false
}

func fields(v reflect.Value, how rewording) (reflect.Value, bool) {
	out, changed := v, false
	for i := range v.NumField() {
		if !v.Type().Field(i).IsExported() {
			continue
		}
		f, ok := reworded(v.Field(i), how)
		if !ok {
			continue
		}
		if !changed {
			out, changed = reflect.New(v.Type()).Elem(), true
			out.Set(v)
		}
		out.Field(i).Set(f)
	}
	return out, changed
}

func elements(v reflect.Value, how rewording) (reflect.Value, bool) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		if v.Type() != rawJSON {
			return v, false
		}
		s := how.json(string(v.Bytes()))
		return reflect.ValueOf(json.RawMessage(s)), s != string(v.Bytes())
	}
	out, changed := v, false
	for i := range v.Len() {
		e, ok := reworded(v.Index(i), how)
		if !ok {
			continue
		}
		if !changed {
			out, changed = reflect.MakeSlice(v.Type(), v.Len(), v.Len()), true
			reflect.Copy(out, v)
		}
		out.Index(i).Set(e)
	}
	return out, changed
}

func entries(v reflect.Value, how rewording) (reflect.Value, bool) {
	out, changed := v, false
	for _, k := range v.MapKeys() {
		e, ok := reworded(v.MapIndex(k), how)
		if !ok {
			continue
		}
		if !changed {
			out, changed = reflect.MakeMapWithSize(v.Type(), v.Len()), true
			for _, k := range v.MapKeys() {
				out.SetMapIndex(k, v.MapIndex(k))
			}
		}
		out.SetMapIndex(k, e)
	}
	return out, changed
}
