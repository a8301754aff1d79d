package teams

import "strings"

// shape is what Adaptive Cards 1.5 says of one type ("Adaptive Cards Schema
// Explorer").
type shape struct {
	props []string          // that the type has
	need  []string          // that it cannot do without
	kids  map[string]string // what stands in a property: a type, "element", "action" or "inline", with [] of a list
	words map[string]string // the values of a property that is one of a few words
}

const (
	sizes      = "default none small medium large extraLarge padding"
	horizontal = "left center right"
	vertical   = "top center bottom"
	tones      = "default emphasis good attention warning accent"
)

var (
	itemProps    = "id isVisible requires targetWidth"
	elementProps = itemProps + " fallback height separator spacing"
	inputProps   = elementProps + " errorMessage isRequired label"
	actionProps  = "id requires title iconUrl style fallback tooltip isEnabled mode"
)

// anyProps are on every type: a comment, and what Teams adds of its own.
var anyProps = []string{"type", "msteams", "msTeams"}

func newShape(props, need string, kids map[string]string, words map[string]string) shape {
	all := map[string]string{"spacing": sizes, "mode": "primary secondary"}
	for k, v := range words {
		all[k] = v
	}
	if kids == nil {
		kids = map[string]string{}
	}
	return shape{append(strings.Fields(props), anyProps...), strings.Fields(need), kids, all}
}

// table maps properties to words.
type table = map[string]string

var (
	actionStyle = table{"style": "default positive destructive"}
	boxWords    = table{"style": tones, "verticalContentAlignment": vertical}
	cellWords   = table{"horizontalCellContentAlignment": horizontal, "verticalCellContentAlignment": vertical}
	textWords   = table{"color": "default dark light accent good warning attention", "fontType": "default monospace", "horizontalAlignment": horizontal,
		"size": "default small medium large extraLarge", "weight": "default lighter bolder", "style": "default heading"}
)

// elements may stand in a body.
var elements = map[string]shape{
	"TextBlock":       newShape(elementProps+" text color fontType horizontalAlignment isSubtle maxLines size weight wrap style", "text", nil, textWords),
	"RichTextBlock":   newShape(elementProps+" inlines horizontalAlignment", "inlines", table{"inlines": "[]inline"}, textWords),
	"Image":           newShape(elementProps+" url altText backgroundColor horizontalAlignment selectAction size style width", "url", table{"selectAction": "action"}, table{"size": "auto stretch small medium large", "style": "default person", "horizontalAlignment": horizontal}),
	"ImageSet":        newShape(elementProps+" images imageSize", "images", table{"images": "[]Image"}, table{"imageSize": "auto stretch small medium large"}),
	"Media":           newShape(elementProps+" sources poster altText", "sources", table{"sources": "[]MediaSource"}, nil),
	"FactSet":         newShape(elementProps+" facts", "facts", table{"facts": "[]Fact"}, nil),
	"ActionSet":       newShape(elementProps+" actions", "actions", table{"actions": "[]action"}, nil),
	"Container":       newShape(elementProps+" items selectAction style verticalContentAlignment bleed backgroundImage minHeight rtl", "items", table{"items": "[]element", "selectAction": "action"}, boxWords),
	"ColumnSet":       newShape(elementProps+" columns selectAction style bleed minHeight horizontalAlignment", "", table{"columns": "[]Column", "selectAction": "action"}, table{"style": tones, "horizontalAlignment": horizontal}),
	"Table":           newShape(elementProps+" columns rows firstRowAsHeader showGridLines gridStyle horizontalCellContentAlignment verticalCellContentAlignment", "", table{"columns": "[]TableColumnDefinition", "rows": "[]TableRow"}, cellWords),
	"Input.Text":      newShape(inputProps+" isMultiline maxLength placeholder regex style inlineAction value", "id", table{"inlineAction": "action"}, table{"style": "text tel url email password"}),
	"Input.Number":    newShape(inputProps+" max min placeholder value", "id", nil, nil),
	"Input.Date":      newShape(inputProps+" max min placeholder value", "id", nil, nil),
	"Input.Time":      newShape(inputProps+" max min placeholder value", "id", nil, nil),
	"Input.Toggle":    newShape(inputProps+" title value valueOff valueOn wrap", "id title", nil, nil),
	"Input.ChoiceSet": newShape(inputProps+" choices isMultiSelect style value placeholder wrap", "id", table{"choices": "[]Input.Choice"}, table{"style": "compact expanded"}),
}

// actions may stand where something can be pressed.
var actions = map[string]shape{
	"Action.Execute":          newShape(actionProps+" verb data associatedInputs", "", nil, table{"style": actionStyle["style"], "associatedInputs": "auto none"}),
	"Action.Submit":           newShape(actionProps+" data associatedInputs", "", nil, table{"style": actionStyle["style"], "associatedInputs": "auto none"}),
	"Action.OpenUrl":          newShape(actionProps+" url", "url", nil, actionStyle),
	"Action.ShowCard":         newShape(actionProps+" card", "", table{"card": "AdaptiveCard"}, actionStyle),
	"Action.ToggleVisibility": newShape(actionProps+" targetElements", "targetElements", nil, actionStyle),
}

// partsOf are the types that stand in one place only.
var partsOf = map[string]shape{
	"AdaptiveCard": newShape("version refresh authentication body actions selectAction fallbackText backgroundImage minHeight rtl speak lang verticalContentAlignment $schema metadata style", "",
		table{"body": "[]element", "actions": "[]action", "selectAction": "action", "refresh": "Refresh", "authentication": "Authentication"}, boxWords),
	"Column":                newShape(itemProps+" items backgroundImage bleed fallback minHeight rtl separator spacing selectAction style verticalContentAlignment width", "", table{"items": "[]element", "selectAction": "action"}, boxWords),
	"TableColumnDefinition": newShape("width horizontalCellContentAlignment verticalCellContentAlignment", "", nil, cellWords),
	"TableRow":              newShape("cells style horizontalCellContentAlignment verticalCellContentAlignment", "", table{"cells": "[]TableCell"}, table{"style": tones}),
	"TableCell":             newShape("items selectAction style verticalContentAlignment bleed backgroundImage minHeight rtl", "items", table{"items": "[]element", "selectAction": "action"}, boxWords),
	"Fact":                  newShape("title value", "title value", nil, nil),
	"MediaSource":           newShape("mimeType url", "mimeType url", nil, nil),
	"Input.Choice":          newShape("title value", "title value", nil, nil),
	"Refresh":               newShape("action userIds", "", table{"action": "action"}, nil),
	"Authentication":        newShape("text connectionName tokenExchangeResource buttons", "", nil, nil),
	"TextRun":               newShape("text color fontType highlight isSubtle italic selectAction size strikethrough underline weight", "text", table{"selectAction": "action"}, textWords),
}

// texts are the properties that hold a string wherever they stand.
var texts = []string{"text", "title", "url", "label", "id", "errorMessage", "placeholder", "altText", "verb"}
