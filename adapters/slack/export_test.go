package slack

// Scenes gives the tests from outside the messages that are drawn here.
var Scenes = scenes
