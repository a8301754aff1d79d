package servicenow

// Columns of users, groups, roles and what belongs to a person.

const userColumns = `
accumulated_roles         str                    Accumulated roles
active                    bool=true              Active
avatar                    str                    Avatar
building                  ref:cmn_building       Building
calendar_integration      int=1                  Calendar integration
city                      str                    City
company                   ref:core_company       Company
cost_center               ref:cmn_cost_center    Cost center
country                   str                    Country code
date_format               str                    Date format
default_perspective       ref:sys_perspective    Default perspective
department                ref:cmn_department     Department
edu_status                str=faculty            EDU Status
email                     str                    Email
employee_number           str                    Employee number
enable_multifactor_authn  bool=false             Enable Multifactor Authentication
failed_attempts           int                    Failed login attempts
fax                       str                    Fax
federated_id              str                    Federated ID
first_name                str                    First name
gender                    str                    Gender
hashed_user_id            str                    Hashed User ID
home_phone                str                    Home phone
identity_type             str                    Identity type
internal_integration_user bool=false             Internal Integration User
introduction              str                    Prefix
last_login                date                   Last login
last_login_device         str                    Last login device
last_login_time           dt                     Last login time
last_name                 str                    Last name
last_password             str                    Last password
ldap_server               ref:ldap_server_config LDAP server
location                  ref:cmn_location       Location
locked_out                bool=false             Locked out
manager                   ref:sys_user           Manager
manager_hp1               str                    Manager HP1
middle_name               str                    Middle name
mobile_phone              str                    Mobile phone
name                      str                    Name
notification              int=2                  Notification
password_needs_reset      bool                   Password needs reset
phone                     str                    Business phone
photo                     str                    Photo
preferred_language        str                    Language
roles                     str                    Roles
schedule                  ref:cmn_schedule       Schedule
source                    str                    Source
state                     str                    State / Province
street                    str                    Street
sys_class_name            class                  Class
sys_domain                domain:sys_user_group  Domain
sys_domain_path           str=/                  Domain Path
time_format               str                    Time format
time_zone                 str                    Time zone
title                     str                    Title
user_name                 str                    User ID
user_password             pass                   Password
vip                       bool=false             VIP
web_service_access_only   bool=false             Web service access only
zip                       str                    Zip / Postal code
`

const groupColumns = `
active           bool=true                Active
cost_center      ref:cmn_cost_center      Cost center
default_assignee ref:sys_user             Default assignee
description      str                      Description
email            str                      Group email
exclude_manager  bool                     Exclude manager
include_members  bool                     Include members
manager          ref:sys_user             Manager
name             str                      Name
parent           ref:sys_user_group       Parent
roles            str                      Roles
source           str                      Source
type             list:sys_user_group_type Type
`

const roleColumns = `
assignable_by      ref:sys_user
can_delegate       bool=true
description        str
elevated_privilege bool=false   Elevated Privilege
grantable          bool=true
includes_roles     str
name               str!
scoped_admin       bool=false
suffix             str
`

const userRoleColumns = `
granted_by       ref:sys_user_group Granted by
inh_count        int                Inheritance count
included_in_role ref:sys_user_role  Included in role
inherited        bool=false         Inherited
role             ref:sys_user_role! Role
state            str=active         State
user             ref:sys_user!      User
`

const groupMemberColumns = `
group ref:sys_user_group! Group
user  ref:sys_user!       User
`

const groupRoleColumns = `
group    ref:sys_user_group! Group
inherits bool=true           Inherits
role     ref:sys_user_role!  Role
`

const preferenceColumns = `
description str
name        str!
system      bool
type        str!
value       str
user        ref:sys_user User
`
