package servicenow

// Columns of what the platform knows about itself: tables, scopes, applications, properties.

const metadataColumns = `
sys_class_name  class           Class
sys_name        str             Display name
sys_package     ref:sys_package Package
sys_policy      str             Protection policy
sys_scope       ref:sys_scope   Application
sys_update_name str             Update name
`

const dbObjectColumns = `
access                 str=public        Accessible from
actions_access         bool=false        Allow UI actions
alter_access           bool=false        Allow new fields
caller_access          str               Caller Access
client_scripts_access  bool=false        Allow client scripts
configuration_access   bool=false        Allow configuration
create_access          bool=false        Can create
create_access_controls bool              Create access controls
delete_access          bool=false        Can delete
extension_model        str               Extension model
is_extendable          bool=false        Extensible
label                  str!              Label
live_feed_enabled      bool=false        Live feed
name                   str!              Name
number_ref             ref:sys_number    Auto number
provider_class         str               Provider class
read_access            bool=true         Can read
scriptable_table       bool              Remote Table
super_class            ref:sys_db_object Extends table
sys_class_code         str               Sys class code
sys_class_path         str               Sys class path
update_access          bool=false        Can update
user_role              ref:sys_user_role User role
ws_access              bool=true         Allow access to this table via web services
`

const packageColumns = `
active           bool=true
enforce_license  str=none   Subscription requirement
ide_created      str        IDE Created
licensable       bool
license_category str        Subscription Category
license_model    str=none   Subscription Model
name             str
package_json     str        Package JSON
sys_class_name   class      Class
source           str        ID
trackable        bool=false
version          str
`

const scopeColumns = `
can_edit_in_studio      bool=true     Can Edit Application in Studio
js_level                str=es_latest JavaScript Mode
logo                    str
private                 bool=false
restrict_table_access   bool=false
runtime_access_tracking str
scope                   str
scoped_administration   bool=false    Application administration
short_description       str
template                str
vendor                  str
vendor_prefix           str
`

const appColumns = `
hide_on_ui              bool=false               Hidden on ui
installed_as_dependency bool=false               Installed via Dependency
license_definition      ref:sys_app_license_defn License Definition
menu                    ref:sys_app_application  Menu
store_correlation_id    str                      Store correlation ID
store_url               str                      Store URL
sys_code                str                      Code
uninstall_blocked       bool=false               Uninstall Blocked
user_role               ref:sys_user_role        User role
`

const privilegeColumns = `
operation    str
source_scope ref:sys_scope
status       str
target_name  str
target_scope ref:sys_scope
target_type  str
`

const propertyColumns = `
choices      str        Choices
description  str        Description
ignore_cache bool=false Ignore cache
is_private   bool=false Private
name         str        Name
read_roles   str        Read roles
suffix       str        Suffix
type         str=string Type
value        str        Value
write_roles  str        Write roles
`

const choiceColumns = `
dependent_value str
element         str Element
hint            str Hint
inactive        bool=false Inactive
label           str Label
language        str=en Language
name            str Table
sequence        int Sequence
value           str Value
`

const dictionaryColumns = `
active        bool=true Active
array         bool=false Array
column_label  str Column label
default_value str Default value
display       bool=false Display
element       str Column name
internal_type str Type
mandatory     bool=false Mandatory
max_length    int Max length
name          str Table
read_only     bool=false Read only
reference     str Reference
`

const pluginColumns = `
active  str=active Status
id      str ID
name    str Name
source  str Source
version str Version
`

const rateRuleColumns = `
active        bool=true Active
name          str! Name
request_limit int! Requests per hour
type          str=all_users Type
user          ref:sys_user User
`

const syslogColumns = `
level   str=0 Level
message str Message
source  str Source
type    str App type
`

const outboundLogColumns = `
message         str Message
method          str HTTP method
response_length int Response length
response_status int Response status
response_time   int Response time
source_scope    str Application scope
url             str URL
url_hostname    str URL hostname
url_path        str URL path
`
